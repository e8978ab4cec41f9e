package jobspec

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/google/uuid"
	"github.com/hashicorp/hcl/v2/ext/tryfunc"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	ctyyaml "github.com/zclconf/go-cty-yaml"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
	"golang.org/x/crypto/bcrypt"
)

// functions are those that job files may call. files says whether the disk may
// be read.
func functions(files bool) map[string]function.Function {
	f := map[string]function.Function{
		"abs": stdlib.AbsoluteFunc, "ceil": stdlib.CeilFunc, "floor": stdlib.FloorFunc, "log": stdlib.LogFunc, "max": stdlib.MaxFunc,
		"min": stdlib.MinFunc, "parseint": stdlib.ParseIntFunc, "pow": stdlib.PowFunc, "signum": stdlib.SignumFunc,

		"chomp": stdlib.ChompFunc, "format": stdlib.FormatFunc, "formatlist": stdlib.FormatListFunc, "indent": stdlib.IndentFunc,
		"join": stdlib.JoinFunc, "lower": stdlib.LowerFunc, "upper": stdlib.UpperFunc, "title": stdlib.TitleFunc, "replace": stdlib.ReplaceFunc,
		"regex_replace": stdlib.RegexReplaceFunc, "split": stdlib.SplitFunc, "strlen": stdlib.StrlenFunc, "strrev": stdlib.ReverseFunc,
		"reverse": stdlib.ReverseFunc, "substr": stdlib.SubstrFunc, "trim": stdlib.TrimFunc, "trimprefix": stdlib.TrimPrefixFunc,
		"trimsuffix": stdlib.TrimSuffixFunc, "trimspace": stdlib.TrimSpaceFunc,

		"chunklist": stdlib.ChunklistFunc, "coalesce": stdlib.CoalesceFunc, "coalescelist": stdlib.CoalesceListFunc, "compact": stdlib.CompactFunc,
		"concat": stdlib.ConcatFunc, "contains": stdlib.ContainsFunc, "distinct": stdlib.DistinctFunc, "element": stdlib.ElementFunc,
		"flatten": stdlib.FlattenFunc, "index": stdlib.IndexFunc, "keys": stdlib.KeysFunc, "length": stdlib.LengthFunc, "lookup": stdlib.LookupFunc,
		"merge": stdlib.MergeFunc, "range": stdlib.RangeFunc, "setintersection": stdlib.SetIntersectionFunc, "setproduct": stdlib.SetProductFunc,
		"setunion": stdlib.SetUnionFunc, "slice": stdlib.SliceFunc, "sort": stdlib.SortFunc, "values": stdlib.ValuesFunc, "zipmap": stdlib.ZipmapFunc,

		"can": tryfunc.CanFunc, "try": tryfunc.TryFunc, "convert": typeexpr.ConvertFunc,

		"csvdecode": stdlib.CSVDecodeFunc, "jsondecode": stdlib.JSONDecodeFunc, "jsonencode": stdlib.JSONEncodeFunc,
		"yamldecode": ctyyaml.YAMLDecodeFunc, "yamlencode": ctyyaml.YAMLEncodeFunc,
		"formatdate": stdlib.FormatDateFunc, "timeadd": stdlib.TimeAddFunc,

		"base64encode": onText(func(s string) (string, error) { return base64.StdEncoding.EncodeToString([]byte(s)), nil }),
		"base64decode": onText(func(s string) (string, error) { b, err := base64.StdEncoding.DecodeString(s); return string(b), err }),
		"urlencode":    onText(func(s string) (string, error) { return url.QueryEscape(s), nil }),
		"md5":          onText(func(s string) (string, error) { b := md5.Sum([]byte(s)); return hex.EncodeToString(b[:]), nil }),
		"sha1":         onText(func(s string) (string, error) { b := sha1.Sum([]byte(s)); return hex.EncodeToString(b[:]), nil }),
		"sha256":       onText(func(s string) (string, error) { b := sha256.Sum256([]byte(s)); return hex.EncodeToString(b[:]), nil }),
		"sha512":       onText(func(s string) (string, error) { b := sha512.Sum512([]byte(s)); return hex.EncodeToString(b[:]), nil }),
		"bcrypt": onText(func(s string) (string, error) {
			b, err := bcrypt.GenerateFromPassword([]byte(s), bcrypt.DefaultCost)
			return string(b), err
		}),
		"uuidv4": function.New(&function.Spec{Type: function.StaticReturnType(cty.String), Impl: func([]cty.Value, cty.Type) (cty.Value, error) {
			return cty.StringVal(uuid.NewString()), nil
		}}),
		"uuidv5": function.New(&function.Spec{
			Params: []function.Parameter{{Name: "namespace", Type: cty.String}, {Name: "name", Type: cty.String}},
			Type:   function.StaticReturnType(cty.String), Impl: uuidV5,
		}),
	}
	for name, on := range fileFunctions {
		if !files {
			on = func(string) (cty.Value, error) {
				return cty.NilVal, errors.New("the disk is not read here; the command line does that for its own job files")
			}
		}
		f[name] = onPath(on)
	}
	return f
}

func onText(do func(string) (string, error)) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "str", Type: cty.String}},
		Type:   function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			s, err := do(args[0].AsString())
			return cty.StringVal(s), err
		},
	})
}

func onPath(do func(string) (cty.Value, error)) function.Function {
	return function.New(&function.Spec{
		Params:   []function.Parameter{{Name: "path", Type: cty.String}},
		VarParam: &function.Parameter{Name: "pattern", Type: cty.String},
		Type:     function.StaticReturnType(cty.DynamicPseudoType),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			path := args[0].AsString()
			if len(args) > 1 { // fileset alone has two
				path = filepath.Join(path, args[1].AsString())
			}
			return do(path)
		},
	})
}

var fileFunctions = map[string]func(string) (cty.Value, error){
	"abspath":  func(p string) (cty.Value, error) { p, err := filepath.Abs(p); return cty.StringVal(p), err },
	"basename": func(p string) (cty.Value, error) { return cty.StringVal(filepath.Base(p)), nil },
	"dirname":  func(p string) (cty.Value, error) { return cty.StringVal(filepath.Dir(p)), nil },
	"file": func(p string) (cty.Value, error) {
		b, err := os.ReadFile(home(p))
		return cty.StringVal(string(b)), err
	},
	"filebase64": func(p string) (cty.Value, error) {
		b, err := os.ReadFile(home(p))
		return cty.StringVal(base64.StdEncoding.EncodeToString(b)), err
	},
	"fileexists": func(p string) (cty.Value, error) {
		info, err := os.Stat(home(p))
		return cty.BoolVal(err == nil && info.Mode().IsRegular()), nil
	},
	"fileset": func(p string) (cty.Value, error) {
		found, err := doublestar.FilepathGlob(p, doublestar.WithFilesOnly())
		if err != nil || len(found) == 0 {
			return cty.SetValEmpty(cty.String), err
		}
		out := make([]cty.Value, len(found))
		for i, f := range found {
			out[i] = cty.StringVal(filepath.ToSlash(f))
		}
		return cty.SetVal(out), nil
	},
	"pathexpand": func(p string) (cty.Value, error) { return cty.StringVal(home(p)), nil },
}

// home replaces a leading ~ by the user's home.
func home(p string) string {
	if rest, ok := strings.CutPrefix(p, "~"); ok {
		if dir, err := os.UserHomeDir(); err == nil {
			return dir + rest
		}
	}
	return p
}

var uuidNamespaces = map[string]uuid.UUID{"dns": uuid.NameSpaceDNS, "url": uuid.NameSpaceURL, "oid": uuid.NameSpaceOID, "x500": uuid.NameSpaceX500}

var dotted = regexp.MustCompile(`^[0-9a-fA-F-]{36}$`)

func uuidV5(args []cty.Value, _ cty.Type) (cty.Value, error) {
	name := args[0].AsString()
	space, ok := uuidNamespaces[name]
	if !ok {
		var err error
		if space, err = uuid.Parse(name); err != nil || !dotted.MatchString(name) {
			return cty.NilVal, function.NewArgErrorf(0, "it is a UUID, or one of dns, url, oid, x500")
		}
	}
	return cty.StringVal(uuid.NewSHA1(space, []byte(args[1].AsString())).String()), nil
}
