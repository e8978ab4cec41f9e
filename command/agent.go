package command

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/mitchellh/cli"
	"github.com/posener/complete"

	"github.com/nomadlike/nomadlike/nomadlike/agent"
	"github.com/nomadlike/nomadlike/nomadlike/agent/config"
)

// A service is a running agent.
type service interface {
	Run(context.Context) error
	Leave(context.Context) error
	Reload(*config.Config) error
}

// agentCommand runs an agent until it is told to stop. It is no verb: it asks
// nobody, and looks after signals itself.
type agentCommand struct {
	ctx context.Context
	io  IO
	// open makes the agent; signals are what the process is told.
	open    func(*config.Config, hclog.InterceptLogger) (service, error)
	signals <-chan os.Signal
}

var _ cli.CommandAutocomplete = (*agentCommand)(nil)

func newAgentCommand(ctx context.Context, w IO) *agentCommand {
	return &agentCommand{ctx: ctx, io: w, open: func(c *config.Config, l hclog.InterceptLogger) (service, error) {
		b := built()
		return agent.New(c, agent.Version{Version: b.version, Revision: b.revision}, l)
	}}
}

func (c *agentCommand) Synopsis() string { return "Run an agent: a server, a client or both" }

func (c *agentCommand) AutocompleteArgs() complete.Predictor { return complete.PredictNothing }

func (c *agentCommand) AutocompleteFlags() complete.Flags {
	f, _, _ := agentFlags()
	return f.complete()
}

func (c *agentCommand) Help() string {
	f, _, _ := agentFlags()
	return fmt.Sprintf(`Usage: %[1]s agent [options]

  Runs an agent until it is interrupted or terminated. What it does is written in
  configuration files, HCL or JSON; flags win over files, and later files over
  earlier ones. SIGHUP reads them again and takes over the log level and the
  certificates.

Examples:

  # Try things out: a server and a client that keep nothing
  %[1]s agent -dev

  # A server, the first of a new cluster
  %[1]s agent -server -bootstrap-expect=1 -data-dir=/var/lib/nomadlike

  # A client of that server
  %[1]s agent -client -servers=10.0.0.11 -data-dir=/var/lib/nomadlike

  # As a service
  %[1]s agent -config=/etc/nomadlike.d

Options:

%[2]s`, Name, strings.TrimRight(f.describe(false), "\n"))
}

// agentFlags are the flags of the configuration, and -version.
func agentFlags() (*flags, *config.Flags, *bool) {
	f := &flags{FlagSet: flag.NewFlagSet("agent", flag.ContinueOnError), common: map[string]bool{}}
	f.SetOutput(io.Discard)
	f.Usage = func() {}
	settings := &config.Flags{}
	settings.Register(f.FlagSet)
	return f, settings, f.Bool("version", false, "print the version and nothing else")
}

// Run starts the agent and returns the exit code when it has ended.
func (c *agentCommand) Run(args []string) int {
	f, settings, version := agentFlags()
	if err := f.Parse(args); err != nil {
		return c.failed("%v\nFor additional help try '%s agent -help'", err, Name)
	}
	if *version {
		fmt.Fprintln(c.io.Out, VersionText())
		return 0
	}
	if f.NArg() > 0 {
		return c.failed("The agent takes no arguments but flags, not %q\nFor additional help try '%s agent -help'", f.Arg(0), Name)
	}
	conf, err := settings.Load()
	if err != nil {
		return c.failed("%v", err)
	}
	for _, w := range conf.Warnings {
		fmt.Fprintln(c.io.Err, "==> "+w)
	}
	// Signals are caught from here on: who stops an agent that is starting stops it.
	if c.signals == nil {
		caught := make(chan os.Signal, 4)
		signal.Notify(caught, os.Interrupt, syscall.SIGTERM, hangup)
		defer signal.Stop(caught)
		c.signals = caught
	}
	return c.run(conf, settings)
}

func (c *agentCommand) failed(format string, args ...any) int {
	fmt.Fprintln(c.io.Err, "==> "+strings.ReplaceAll(fmt.Sprintf(format, args...), "\n", "\n    "))
	return 1
}

func (c *agentCommand) run(conf *config.Config, settings *config.Flags) int {
	log, err := newAgentLog(conf, c.io)
	if err != nil {
		return c.failed("Error starting agent: %v", err)
	}
	defer log.Close()
	say := func(format string, args ...any) { fmt.Fprintf(c.io.Out, "==> "+format+"\n", args...) }
	if len(conf.Files) > 0 {
		say("Loaded configuration from %s", strings.Join(conf.Files, ", "))
	} else {
		say("No configuration files loaded")
	}
	say("Starting Nomadlike agent...")
	a, err := c.open(conf, log.logger)
	if err != nil {
		log.release()
		return c.failed("Error starting agent: %v", err)
	}
	ctx, stop := context.WithCancel(c.ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	say("Nomadlike agent configuration:\n\n%s\n", banner(conf))
	say("Nomadlike agent started! Log data will stream in below:\n")
	log.release()
	r := &agentRun{agentCommand: c, agent: a, config: conf, settings: settings, log: log, stop: stop, ended: ended, say: say}
	r.notify("READY=1")
	return r.wait()
}

// An agentRun is an agent at work.
type agentRun struct {
	*agentCommand
	agent    service
	config   *config.Config
	settings *config.Flags
	log      *agentLog
	stop     context.CancelFunc
	ended    <-chan error
	say      func(string, ...any)
}

// wait does what signals say until the agent has ended.
func (r *agentRun) wait() int {
	for {
		select {
		case err := <-r.ended:
			return r.over(err)
		case <-r.ctx.Done():
			return r.over(<-r.ended)
		case s := <-r.signals:
			r.say("Caught signal: %v", s)
			if s == hangup {
				r.reload()
				continue
			}
			return r.end(s)
		}
	}
}

// over is the end of an agent that nobody told to stop.
func (r *agentRun) over(err error) int {
	if err == nil || errors.Is(err, context.Canceled) {
		return 0
	}
	return r.failed("The agent has ended: %v", err)
}

// leaveTime is how long an agent that leaves for good may take.
const leaveTime = 5 * time.Second

// end stops the agent, first of all from being a member if the configuration says
// so for the signal. A second signal does not wait.
func (r *agentRun) end(s os.Signal) int {
	r.notify("STOPPING=1")
	leave := s == os.Interrupt && r.config.LeaveOnInterrupt || s == syscall.SIGTERM && r.config.LeaveOnTerminate
	code := 1
	done := make(chan int, 1)
	go func() {
		if leave {
			r.say("Gracefully shutting down agent...")
			ctx, cancel := context.WithTimeout(context.WithoutCancel(r.ctx), leaveTime)
			defer cancel()
			if err := r.agent.Leave(ctx); err != nil {
				r.failed("Error leaving the cluster: %v", err)
			} else {
				code = 0
			}
		}
		r.stop()
		if err := <-r.ended; err != nil && !errors.Is(err, context.Canceled) {
			code = r.failed("Error stopping the agent: %v", err)
		}
		done <- code
	}()
	for {
		select {
		case code := <-done:
			return code
		case again := <-r.signals:
			if again != hangup {
				return r.failed("Caught signal again: %v; not waiting for what has not ended", again)
			}
		}
	}
}

// reload reads the configuration again and takes over what can be changed while
// the agent runs.
func (r *agentRun) reload() {
	r.say("Reloading configuration...")
	r.notify(reloading())
	defer r.notify("READY=1")
	conf, err := r.settings.Load()
	if err != nil {
		r.failed("The configuration was not reloaded:\n%v", err)
		return
	}
	if err := errors.Join(r.log.reload(conf), r.agent.Reload(conf)); err != nil {
		r.failed("The configuration was not reloaded as a whole:\n%v", err)
	}
}
