package mock

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nomadlike/nomadlike/plugins/drivers"
	"github.com/nomadlike/nomadlike/plugins/hclspec"
)

var configSchema = hclspec.NewObject(map[string]*hclspec.Spec{
	"enabled":      hclspec.NewDefaultAttr("enabled", "bool", "false"),
	"fs_isolation": hclspec.NewDefaultAttr("fs_isolation", "string", `"none"`),
})

// config is the plugin's configuration.
type config struct {
	Enabled     bool   `codec:"enabled"`
	FSIsolation string `codec:"fs_isolation"`
}

var isolations = map[string]drivers.FSIsolation{
	"": drivers.FSNone, "none": drivers.FSNone, "chroot": drivers.FSChroot, "image": drivers.FSImage, "unveil": drivers.FSUnveil,
}

// runSchema is what a task does, and a command beside it.
func runSchema() map[string]*hclspec.Spec {
	return map[string]*hclspec.Spec{
		"run_for":                hclspec.NewAttr("run_for", "string"),
		"exit_code":              hclspec.NewAttr("exit_code", "number"),
		"exit_signal":            hclspec.NewAttr("exit_signal", "number"),
		"exit_err_msg":           hclspec.NewAttr("exit_err_msg", "string"),
		"signal_error":           hclspec.NewAttr("signal_error", "string"),
		"stdout_string":          hclspec.NewAttr("stdout_string", "string"),
		"stdout_repeat":          hclspec.NewAttr("stdout_repeat", "number"),
		"stdout_repeat_duration": hclspec.NewAttr("stdout_repeat_duration", "string"),
		"stderr_string":          hclspec.NewAttr("stderr_string", "string"),
		"stderr_repeat":          hclspec.NewAttr("stderr_repeat", "number"),
		"stderr_repeat_duration": hclspec.NewAttr("stderr_repeat_duration", "string"),
	}
}

var taskSchema = func() *hclspec.Spec {
	s := runSchema()
	maps.Copy(s, map[string]*hclspec.Spec{
		"start_error":             hclspec.NewAttr("start_error", "string"),
		"start_error_recoverable": hclspec.NewAttr("start_error_recoverable", "bool"),
		"start_block_for":         hclspec.NewAttr("start_block_for", "string"),
		"kill_after":              hclspec.NewAttr("kill_after", "string"),
		"driver_ip":               hclspec.NewAttr("driver_ip", "string"),
		"driver_advertise":        hclspec.NewAttr("driver_advertise", "bool"),
		"driver_port_map":         hclspec.NewAttr("driver_port_map", "string"),
		"exec_command":            hclspec.NewBlock("exec_command", hclspec.NewObject(runSchema())),
	})
	return hclspec.NewObject(s)
}()

// run is what a task does, as it is written.
type run struct {
	RunFor       string `codec:"run_for"`
	ExitCode     int    `codec:"exit_code"`
	ExitSignal   int    `codec:"exit_signal"`
	ExitErrMsg   string `codec:"exit_err_msg"`
	SignalError  string `codec:"signal_error"`
	Stdout       string `codec:"stdout_string"`
	StdoutRepeat int    `codec:"stdout_repeat"`
	StdoutEvery  string `codec:"stdout_repeat_duration"`
	Stderr       string `codec:"stderr_string"`
	StderrRepeat int    `codec:"stderr_repeat"`
	StderrEvery  string `codec:"stderr_repeat_duration"`

	runFor                   time.Duration
	stdoutEvery, stderrEvery time.Duration
}

// taskConfig is a task's config block.
type taskConfig struct {
	run

	StartError            string `codec:"start_error"`
	StartErrorRecoverable bool   `codec:"start_error_recoverable"`
	StartBlockFor         string `codec:"start_block_for"`
	KillAfter             string `codec:"kill_after"`
	DriverIP              string `codec:"driver_ip"`
	DriverAdvertise       bool   `codec:"driver_advertise"`
	DriverPortMap         string `codec:"driver_port_map"`
	ExecCommand           *run   `codec:"exec_command"`

	startBlockFor, killAfter time.Duration
	portMap                  map[string]int
}

func (r *run) parse() error {
	var err error
	if r.ExitCode < 0 || r.ExitCode > 255 {
		err = fmt.Errorf("exit_code is %d and must be between 0 and 255", r.ExitCode)
	}
	return errors.Join(err,
		duration("run_for", r.RunFor, &r.runFor),
		duration("stdout_repeat_duration", r.StdoutEvery, &r.stdoutEvery),
		duration("stderr_repeat_duration", r.StderrEvery, &r.stderrEvery))
}

func parse(t *drivers.TaskConfig) (*taskConfig, error) {
	c := &taskConfig{}
	if err := hclspec.Unmarshal(t.DriverConfig, c); err != nil {
		return nil, err
	}
	err := errors.Join(c.parse(),
		duration("start_block_for", c.StartBlockFor, &c.startBlockFor),
		duration("kill_after", c.KillAfter, &c.killAfter),
		c.parsePortMap())
	if c.ExecCommand != nil {
		err = errors.Join(err, c.ExecCommand.parse())
	}
	if err != nil {
		return nil, err
	}
	return c, nil
}

func duration(key, text string, to *time.Duration) error {
	if text == "" {
		return nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return fmt.Errorf("%s is %q and must be a duration such as \"10s\"", key, text)
	}
	*to = d
	return nil
}

// parsePortMap reads "label:port", several of them with commas between.
func (c *taskConfig) parsePortMap() error {
	if c.DriverPortMap == "" {
		return nil
	}
	c.portMap = map[string]int{}
	for _, pair := range strings.Split(c.DriverPortMap, ",") {
		label, number, _ := strings.Cut(pair, ":")
		port, err := strconv.Atoi(number)
		if err != nil || port < 1 || port > 65535 || label == "" {
			return fmt.Errorf("driver_port_map is %q and must be \"label:port\"", c.DriverPortMap)
		}
		c.portMap[label] = port
	}
	return nil
}

// network is how the task says that it is reached.
func (c *taskConfig) network() *drivers.NetworkOverride {
	if c.DriverIP == "" && !c.DriverAdvertise && c.portMap == nil {
		return nil
	}
	return &drivers.NetworkOverride{Addr: c.DriverIP, AutoAdvertise: c.DriverAdvertise, PortMap: c.portMap}
}

// result is what the task says that it ended with.
func (r *run) result() drivers.ExitResult {
	e := drivers.ExitResult{ExitCode: r.ExitCode, Signal: r.ExitSignal}
	if e.ExitCode == 0 && e.Signal != 0 {
		e.ExitCode = 128 + e.Signal
	}
	if r.ExitErrMsg != "" {
		e.Err = errors.New(r.ExitErrMsg)
	}
	return e
}

// A line is a piece of output and when it is due, counted from the start.
type line struct {
	at     time.Duration
	stderr bool
	text   string
}

// lines is all output in the order in which it is due.
func (r *run) lines() []line {
	var out []line
	add := func(stderr bool, text string, repeat int, every time.Duration) {
		if text == "" {
			return
		}
		for i := range repeat + 1 {
			out = append(out, line{time.Duration(i) * every, stderr, text})
		}
	}
	add(false, r.Stdout, r.StdoutRepeat, r.stdoutEvery)
	add(true, r.Stderr, r.StderrRepeat, r.stderrEvery)
	slices.SortStableFunc(out, func(a, b line) int { return int(a.at - b.at) })
	return out
}
