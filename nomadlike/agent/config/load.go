package config

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Options say what an agent's configuration is loaded from.
type Options struct {
	Dev   bool
	Paths []string // files and directories, the later the stronger
	Flags *Source  // stronger than files; may be nil
	// Getenv is os.Getenv unless set.
	Getenv func(string) string
}

// Load merges defaults, files and flags, fills in what follows from them, and
// checks the whole. The error names everything that is wrong.
func Load(o Options) (*Config, error) {
	c := Default()
	if o.Dev {
		c = Dev()
	}
	var errs Errors
	for _, path := range o.Paths {
		sources, err := Read(path)
		if err != nil {
			errs = append(errs, loading(path, err))
			continue
		}
		empty := true
		for _, s := range sources {
			c.Files = append(c.Files, s.Name)
			c.Merge(s)
			empty = empty && s.Empty()
		}
		if empty {
			c.warn("No configuration loaded from %s", path)
		}
	}
	if err := errs.err(); err != nil {
		return nil, err
	}
	if o.Flags != nil {
		c.Merge(o.Flags)
	}
	if o.Getenv == nil {
		o.Getenv = os.Getenv
	}
	if o.Getenv("NOMAD_CLIENT_INTRO_TOKEN") != "" {
		c.warn("NOMAD_CLIENT_INTRO_TOKEN is not used: introduction tokens are not available yet in this build")
	}
	if err := c.complete(); err != nil {
		return nil, err
	}
	return c, c.Validate()
}

// loading words the faults of one path.
func loading(path string, err error) string {
	text := err.Error()
	if strings.Contains(text, "\n") {
		text = "\n  " + strings.ReplaceAll(text, "\n", "\n  ")
	} else {
		text = " " + text
	}
	return fmt.Sprintf("Error loading configuration from %s:%s", path, text)
}

func (c *Config) warn(format string, args ...any) {
	c.Warnings = append(c.Warnings, fmt.Sprintf(format, args...))
}

// Read reads a file, or the .hcl and .json files of a directory in the order of
// their names.
func Read(path string) ([]*Source, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	files := []string{path}
	if info.IsDir() {
		if files, err = list1(path); err != nil {
			return nil, err
		}
	}
	var sources []*Source
	var errs Errors
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			errs = append(errs, err.Error())
			continue
		}
		s, err := Parse(file, src)
		if err != nil {
			errs = append(errs, err.Error())
		}
		sources = append(sources, s)
	}
	return sources, errs.err()
}

// list1 lists the configuration files of a directory, not of those below, and
// without what editors leave behind.
func list1(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var files []string
	for _, e := range entries {
		name := e.Name()
		ext := filepath.Ext(name)
		temporary := strings.HasSuffix(name, "~") || strings.HasPrefix(name, ".#") ||
			strings.HasPrefix(name, "#") && strings.HasSuffix(name, "#")
		path := filepath.Join(dir, name)
		if ext != ".hcl" && ext != ".json" || temporary {
			continue
		}
		if info, err := os.Stat(path); err == nil && info.IsDir() { // also through a link
			continue
		}
		files = append(files, path)
	}
	slices.Sort(files)
	return files, nil
}

// complete fills in what follows from the rest.
func (c *Config) complete() error {
	if c.Name == "" {
		name, err := os.Hostname()
		if err != nil {
			return fmt.Errorf("the host has no name; write one: %w", err)
		}
		c.Name = name
	}
	if c.DataDir != "" {
		for _, d := range []struct {
			dir  *string
			name string
		}{{&c.Server.DataDir, "server"}, {&c.Client.StateDir, "client"}, {&c.Client.AllocDir, "alloc"}} {
			if *d.dir == "" && (!c.Dev || d.dir != &c.Server.DataDir) {
				*d.dir = filepath.Join(c.DataDir, d.name)
			}
		}
	}
	if c.LogFile != "" && strings.HasSuffix(c.LogFile, "/") {
		c.LogFile += "nomad.log"
	}
	c.LogLevel = strings.ToUpper(c.LogLevel)
	if iface := c.Client.NetworkInterface; strings.Contains(iface, "{{") {
		one, err := expandOne(iface)
		if err != nil {
			return Errors{c.at("client.network_interface") + err.Error()}
		}
		c.Client.NetworkInterface = one
	}
	return nil
}

// at is the place of a key, as the beginning of a sentence about it.
func (c *Config) at(path string) string {
	if pos, ok := c.written[path]; ok {
		return pos.String() + ": "
	}
	return ""
}
