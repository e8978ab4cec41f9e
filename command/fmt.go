package command

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/hashicorp/hcl/v2/hclwrite"

	"github.com/nomadlike/nomadlike/jobspec"
	"github.com/nomadlike/nomadlike/nomadlike/agent/config"
)

func formatVerb() *verb {
	return &verb{
		name: "fmt", args: "[path...]", min: 0, max: -1, files: true, local: true,
		synopsis: "Format job files and agent configuration",
		help: `
Rewrites files in the usual layout: indented by two, values below each other. What
they say stays as it is. A path is a file, or a directory whose .nomad and .hcl
files are meant; without one it is the working directory. The path - formats
standard input to standard output.

Prints the names of the files that were not in the usual layout. A file with a
syntax error is left alone, and the exit code is then 1.`,
		examples: []string{
			"# Everything here and below", Name + " fmt -recursive", "",
			"# Fail in CI if somebody forgot to", Name + " fmt -check -recursive jobs/", "",
			"# What would it look like?", Name + " fmt -list=false -write=false example.nomad.hcl",
		},
		bind: func(f *flags) action {
			o := &formatter{}
			f.BoolVar(&o.check, "check", false, "write nothing, and exit with 1 if a file is not in the usual layout")
			f.BoolVar(&o.list, "list", true, "print the names of files that are not in the usual layout")
			f.BoolVar(&o.recursive, "recursive", false, "go through directories below, too, except hidden ones")
			f.BoolVar(&o.write, "write", true, "write files; with -write=false and -list=false, print them")
			return o.run
		},
	}
}

// A formatter goes through files.
type formatter struct {
	check, list, recursive, write bool
	changed, failed               bool
}

func (o *formatter) run(e *env, args []string) error {
	if len(args) == 0 {
		args = []string{"."}
	}
	for _, path := range args {
		if path == "-" && len(args) > 1 {
			return failf("Standard input can not be formatted together with files: give the path - alone")
		}
	}
	if args[0] == "-" {
		return o.stdin(e)
	}
	for _, path := range args {
		files, err := o.files(path)
		o.complain(e, err)
		for _, file := range files {
			if err := e.ctx.Err(); err != nil {
				return err
			}
			o.complain(e, o.file(e, file))
		}
	}
	return o.end()
}

// complain prints what is wrong with one file; the others come next all the same.
func (o *formatter) complain(e *env, err error) {
	if err != nil {
		o.failed = true
		e.errorf("%v", err)
	}
}

func (o *formatter) end() error {
	if o.failed || o.check && o.changed {
		return exit(1)
	}
	return nil
}

func (o *formatter) stdin(e *env) error {
	src, err := source(e, "-")
	if err != nil {
		return failf("Error reading standard input: %v", err)
	}
	out, err := formatted("stdin", src)
	if err != nil {
		return failf("%v", err)
	}
	o.changed = !bytes.Equal(src, out)
	if !o.check {
		o.complain(e, o.show(e, out))
	}
	return o.end()
}

// show prints a file as it should be.
func (o *formatter) show(e *env, out []byte) error {
	if _, err := e.Out.Write(out); err != nil {
		return fmt.Errorf("writing to standard output: %w", err)
	}
	return nil
}

// formats reports the files that can be formatted.
func formats(name string) bool {
	ext := filepath.Ext(name)
	return ext == ".hcl" || ext == ".nomad"
}

// files are what a path stands for.
func (o *formatter) files(path string) ([]string, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return o.directory(path)
	case !formats(path):
		return nil, fmt.Errorf("%s: only files whose names end in .nomad or .hcl are formatted; to format it all the same, use %s fmt - < %[1]s", path, Name)
	}
	return []string{path}, nil
}

func (o *formatter) directory(dir string) (files []string, err error) {
	var failed []error
	dir += string(filepath.Separator)                                             // goes through it if it is a link
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error { // never fails: this takes all errors
		switch {
		case err != nil:
			failed = append(failed, err)
		case path == dir:
		case d.IsDir():
			if !o.recursive || strings.HasPrefix(d.Name(), ".") {
				return fs.SkipDir
			}
		case formats(path) && !leftover(d.Name()):
			if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() { // also through a link
				files = append(files, path)
			}
		}
		return nil
	})
	return files, errors.Join(failed...)
}

// leftover reports what editors put beside a file, and what an interrupted
// rewrite has left.
func leftover(name string) bool {
	return strings.HasPrefix(name, ".#") || strings.HasPrefix(name, unfinished)
}

// file formats one.
func (o *formatter) file(e *env, path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a file", path) // reading a pipe or a device may never end
	}
	src, err := source(e, path)
	if err != nil {
		return err
	}
	out, err := formatted(path, src)
	if err != nil {
		return err
	}
	if !o.check && !o.list && !o.write {
		return o.show(e, out)
	}
	if bytes.Equal(src, out) {
		return nil
	}
	o.changed = true
	if o.write && !o.check {
		if err := rewrite(path, out, info); err != nil {
			return fmt.Errorf("%s could not be written and is as it was: %w", path, err)
		}
	}
	if o.list {
		e.print(path)
	}
	return nil
}

// formatted returns a text in the usual layout, or what is wrong with it.
func formatted(name string, src []byte) ([]byte, error) {
	_, diags := jobspec.Syntax(name, src)
	if !diags.HasErrors() || oldAgentFile(name, src) {
		return hclwrite.Format(src), nil
	}
	return nil, &jobspec.Error{Diagnostics: diags, Sources: jobspec.Sources{name: src}}
}

// oldAgentFile reports a configuration file of an agent that takes liberties which
// job files do not: agents read those too, such as keys in quotes or with dots.
func oldAgentFile(name string, src []byte) bool {
	if len(src) > jobspec.MaxSize || bytes.HasPrefix(bytes.TrimSpace(src), []byte("{")) { // JSON
		return false
	}
	_, err := config.Parse(name, src)
	return err == nil
}

// unfinished begins the names of files that are being written.
const unfinished = ".nomadlike-fmt-"

// rewrite replaces the content of a file. The old one stays until the new one is
// on the disk in whole, so that neither a full disk nor a crash loses it.
func rewrite(path string, content []byte, was fs.FileInfo) error {
	path, err := filepath.EvalSymlinks(path) // a link stays one
	if err != nil {
		return err
	}
	writable, err := os.OpenFile(path, os.O_WRONLY, 0) // a rename would not mind that it is not
	if err != nil {
		return err
	}
	writable.Close()
	tmp, err := os.CreateTemp(filepath.Dir(path), unfinished+"*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(content)
	keepOwner(tmp, was)
	if err := errors.Join(err, tmp.Chmod(was.Mode().Perm()), tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}
