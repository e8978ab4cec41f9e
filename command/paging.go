package command

import (
	"strings"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// paging are the flags of lists that may be long.
type paging struct {
	filter, token string
	perPage       int
}

func (f *flags) paging() *paging {
	p := &paging{}
	f.StringVar(&p.filter, "filter", "", "only those that an `expression` selects, such as 'Status == \"ready\"'")
	f.IntVar(&p.perPage, "per-page", 0, "at most so `many` at a time; 0 is all")
	f.StringVar(&p.token, "page-token", "", "go on at this `token`, which ended the page before")
	return p
}

// ask puts the page into a request.
func (p *paging) ask(q *n.QueryOptions) {
	q.Filter, q.PerPage, q.NextToken = p.filter, p.perPage, p.token
}

// more tells how to get the next page, if there is one.
func (p *paging) more(e *env, next string) {
	if next != "" {
		e.printf("\nResults have been paginated. To get the next page run:\n\n%s -page-token %s", e.line, next)
	}
}

// lineWithoutPage is a command line that a page token may be added to.
func lineWithoutPage(name string, args []string) string {
	words := []string{Name, name}
	for i := 0; i < len(args); i++ {
		flag := strings.TrimLeft(args[i], "-")
		switch {
		case flag == "page-token":
			i++
		case strings.HasPrefix(flag, "page-token="):
		case strings.ContainsAny(args[i], " \t\"'*|&;<>()$`\\"):
			words = append(words, "'"+strings.ReplaceAll(args[i], "'", `'\''`)+"'")
		default:
			words = append(words, args[i])
		}
	}
	return strings.Join(words, " ")
}
