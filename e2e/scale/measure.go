package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/raft"
	wal "github.com/hashicorp/raft-wal"

	"github.com/nomadlike/nomadlike/nomadlike/raftlog"
)

// usage is what processes have used so far.
type usage struct {
	cpu      time.Duration
	peak     int64 // KiB, of the largest
	resident int64 // KiB, of the largest
}

// ticksPerSecond is the unit of times in /proc on Linux.
const ticksPerSecond = 100

// used reads what a process has used.
func (p *process) used() (u usage, err error) {
	dir := fmt.Sprint("/proc/", p.cmd.Process.Pid)
	stat, err := os.ReadFile(filepath.Join(dir, "stat"))
	if err != nil {
		return u, err
	}
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	for _, f := range fields[11:13] { // of the user, of the system
		ticks, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return u, err
		}
		u.cpu += time.Duration(ticks) * time.Second / ticksPerSecond
	}
	status, err := os.ReadFile(filepath.Join(dir, "status"))
	if err != nil {
		return u, err
	}
	u.peak, u.resident = number(vmHWM, status), number(vmRSS, status)
	return u, nil
}

var (
	vmHWM     = regexp.MustCompile(`VmHWM:\s+(\d+)`)
	vmRSS     = regexp.MustCompile(`VmRSS:\s+(\d+)`)
	heapAlloc = regexp.MustCompile(`# HeapAlloc = (\d+)`)
)

func number(re *regexp.Regexp, text []byte) int64 {
	m := re.FindSubmatch(text)
	if m == nil {
		return 0
	}
	v, _ := strconv.ParseInt(string(m[1]), 10, 64) // of digits
	return v
}

// used joins what the servers have used.
func (c *cluster) used() (all usage, err error) {
	for _, p := range c.servers {
		u, err := p.used()
		if err != nil {
			return all, err
		}
		all.cpu += u.cpu
		all.peak, all.resident = max(all.peak, u.peak), max(all.resident, u.resident)
	}
	return all, nil
}

// forgetPeak begins to measure the peaks anew.
func (c *cluster) forgetPeak() error {
	for _, p := range c.servers {
		if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", p.cmd.Process.Pid), []byte("5"), 0); err != nil {
			return err
		}
	}
	return nil
}

func (p *process) debug(ctx context.Context, path string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.addr(0)+"/debug/pprof/"+path, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", path, resp.Status)
	}
	return b, err
}

// heap is what of a server's memory is in use, after a collection.
func (p *process) heap(ctx context.Context) (int64, error) {
	b, err := p.debug(ctx, "heap?gc=1&debug=1")
	return number(heapAlloc, b), err
}

// profile writes a profile to a file.
func (p *process) profile(ctx context.Context, dir, file, path string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	b, err := p.debug(ctx, path)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, file), b, 0o644)
}

// logged is what a kind of entry takes in the log.
type logged struct{ entries, bytes int64 }

// kinds reads the log of a server that has stopped. first is the oldest entry that
// is left of it.
func kinds(dir string) (all map[raftlog.Kind]logged, first uint64, err error) {
	w, err := wal.Open(filepath.Join(dir, "data", "server", "raft", "wal"))
	if err != nil {
		return nil, 0, err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	if first, err = w.FirstIndex(); err != nil {
		return nil, 0, err
	}
	last, err := w.LastIndex()
	if err != nil {
		return nil, 0, err
	}
	all = map[raftlog.Kind]logged{}
	for i := first; i <= last && i > 0; i++ {
		var e raft.Log
		if err := w.GetLog(i, &e); err != nil {
			return nil, 0, err
		}
		if e.Type != raft.LogCommand {
			continue
		}
		kind, err := raftlog.KindOf(e.Data)
		if err != nil {
			return nil, 0, err
		}
		l := all[kind]
		all[kind] = logged{l.entries + 1, l.bytes + int64(len(e.Data))}
	}
	return all, first, nil
}
