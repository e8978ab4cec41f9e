package jobspec

import (
	"crypto/md5"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
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
func (p *parser) functions(files bool) map[string]function.Function {
	f := map[string]function.Function{
		"abs": stdlib.AbsoluteFunc, "ceil": stdlib.CeilFunc, "floor": stdlib.FloorFunc, "log": stdlib.LogFunc, "max": stdlib.MaxFunc,
		"min": stdlib.MinFunc, "parseint": stdlib.ParseIntFunc, "pow": stdlib.PowFunc, "signum": stdlib.SignumFunc,

		"chomp": stdlib.ChompFunc, "format": p.limited(stdlib.FormatFunc, formatted), "formatlist": p.limited(stdlib.FormatListFunc, formattedAll),
		"indent": p.limited(stdlib.IndentFunc, indented), "join": p.limited(stdlib.JoinFunc, joined),
		"lower": stdlib.LowerFunc, "upper": stdlib.UpperFunc, "title": stdlib.TitleFunc, "replace": p.limited(stdlib.ReplaceFunc, replaced),
		"regex_replace": p.limited(stdlib.RegexReplaceFunc, rewritten), "split": stdlib.SplitFunc, "strlen": stdlib.StrlenFunc, "strrev": stdlib.ReverseFunc,
		"reverse": stdlib.ReverseFunc, "substr": stdlib.SubstrFunc, "trim": stdlib.TrimFunc, "trimprefix": stdlib.TrimPrefixFunc,
		"trimsuffix": stdlib.TrimSuffixFunc, "trimspace": stdlib.TrimSpaceFunc,

		"chunklist": stdlib.ChunklistFunc, "coalesce": stdlib.CoalesceFunc, "coalescelist": stdlib.CoalesceListFunc, "compact": stdlib.CompactFunc,
		"concat": stdlib.ConcatFunc, "contains": stdlib.ContainsFunc, "distinct": checked(stdlib.DistinctFunc, atMost(maxCompared)), "element": stdlib.ElementFunc,
		"flatten": stdlib.FlattenFunc, "index": stdlib.IndexFunc, "keys": stdlib.KeysFunc, "length": stdlib.LengthFunc, "lookup": stdlib.LookupFunc,
		"merge": stdlib.MergeFunc, "range": stdlib.RangeFunc, "setintersection": stdlib.SetIntersectionFunc, "setproduct": p.limited(stdlib.SetProductFunc, product),
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
		"bcrypt": function.New(&function.Spec{
			Params:   []function.Parameter{{Name: "str", Type: cty.String}},
			VarParam: &function.Parameter{Name: "cost", Type: cty.Number},
			Type:     function.StaticReturnType(cty.String), Impl: bcryptHash,
		}),
		"rsadecrypt": function.New(&function.Spec{
			Params: []function.Parameter{{Name: "ciphertext", Type: cty.String}, {Name: "privatekey", Type: cty.String}},
			Type:   function.StaticReturnType(cty.String), Impl: rsaDecrypt,
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
			on = func(string) (cty.Value, error) { return cty.NilVal, errNoFiles }
		}
		f[name] = onPath(on)
	}
	f["fileset"] = function.New(&function.Spec{
		Params: []function.Parameter{{Name: "path", Type: cty.String}, {Name: "pattern", Type: cty.String}},
		Type:   function.StaticReturnType(cty.Set(cty.String)),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			if !files {
				return cty.NilVal, errNoFiles
			}
			return fileSet(args[0].AsString(), args[1].AsString())
		},
	})
	return f
}

var errNoFiles = errors.New("the disk is not read here; the command line does that for its own job files")

// maxCompared bounds a list whose elements are all compared with each other.
const maxCompared = 5000

// maxBcryptCost takes some seconds.
const maxBcryptCost = 14

func bcryptHash(args []cty.Value, _ cty.Type) (cty.Value, error) {
	cost := bcrypt.DefaultCost
	if len(args) > 2 {
		return cty.NilVal, function.NewArgErrorf(2, "it takes the text and a cost")
	}
	if len(args) == 2 {
		n, _ := args[1].AsBigFloat().Int64()
		if n < int64(bcrypt.MinCost) || n > maxBcryptCost {
			return cty.NilVal, function.NewArgErrorf(1, "the cost is between %d and %d", bcrypt.MinCost, maxBcryptCost)
		}
		cost = int(n)
	}
	b, err := bcrypt.GenerateFromPassword([]byte(args[0].AsString()), cost)
	return cty.StringVal(string(b)), err
}

// rsaDecrypt opens base64 of what was encrypted for an RSA key by PKCS #1 v1.5.
func rsaDecrypt(args []cty.Value, _ cty.Type) (cty.Value, error) {
	secret, err := base64.StdEncoding.DecodeString(args[0].AsString())
	if err != nil {
		return cty.NilVal, function.NewArgErrorf(0, "it is no base64: %s", err)
	}
	key, err := rsaKey([]byte(args[1].AsString()))
	if err != nil {
		return cty.NilVal, function.NewArgError(1, err)
	}
	out, err := rsa.DecryptPKCS1v15(nil, key, secret) //nolint:staticcheck // the function is what it is
	if err != nil {
		return cty.NilVal, errors.New("the key does not open the text")
	}
	return cty.StringVal(string(out)), nil
}

func rsaKey(text []byte) (*rsa.PrivateKey, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("it is no private key in PEM")
	}
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	raw, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errors.New("it is no RSA key without a passphrase")
	}
	key, ok := raw.(*rsa.PrivateKey)
	if !ok {
		return nil, errors.New("it is no RSA key")
	}
	return key, nil
}

// fileSet lists the files below a folder that match, relative to it.
func fileSet(dir, pattern string) (cty.Value, error) {
	dir = home(dir)
	found, err := doublestar.Glob(os.DirFS(dir), pattern, doublestar.WithFilesOnly())
	if err != nil || len(found) == 0 {
		return cty.SetValEmpty(cty.String), err
	}
	out := make([]cty.Value, len(found))
	for i, f := range found {
		out[i] = cty.StringVal(f)
	}
	return cty.SetVal(out), nil
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
		Params: []function.Parameter{{Name: "path", Type: cty.String}},
		Type:   function.StaticReturnType(cty.DynamicPseudoType),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			return do(args[0].AsString())
		},
	})
}

var fileFunctions = map[string]func(string) (cty.Value, error){
	"abspath":  func(p string) (cty.Value, error) { p, err := filepath.Abs(p); return cty.StringVal(p), err },
	"basename": func(p string) (cty.Value, error) { return cty.StringVal(filepath.Base(p)), nil },
	"dirname":  func(p string) (cty.Value, error) { return cty.StringVal(filepath.Dir(p)), nil },
	"file": func(p string) (cty.Value, error) {
		b, err := readFile(p)
		return cty.StringVal(string(b)), err
	},
	"filebase64": func(p string) (cty.Value, error) {
		b, err := readFile(p)
		return cty.StringVal(base64.StdEncoding.EncodeToString(b)), err
	},
	"fileexists": func(p string) (cty.Value, error) {
		info, err := os.Stat(home(p))
		return cty.BoolVal(err == nil && info.Mode().IsRegular()), nil
	},
	"pathexpand": func(p string) (cty.Value, error) { return cty.StringVal(home(p)), nil },
}

// readFile reads a file that a job may hold.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(home(path))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, MaxSize+1))
	if err == nil && len(b) > MaxSize {
		err = fmt.Errorf("%s is larger than the %d bytes that a job may hold; fetch it with an artifact block", path, MaxSize)
	}
	return b, err
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
