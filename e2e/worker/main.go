// Command worker is the task that tests run: it notes that it was started, and
// then counts aloud, so that a second start or a lost line can be seen.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	if dir := os.Getenv("NOMAD_ALLOC_DIR"); dir != "" {
		f, err := os.OpenFile(filepath.Join(dir, "starts"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o666)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(3)
		}
		fmt.Fprintln(f, time.Now().UnixNano())
		f.Close()
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	tick := time.NewTicker(50 * time.Millisecond)
	for i := 1; ; i++ {
		fmt.Println(i)
		select {
		case <-stop:
			return
		case <-tick.C:
		}
	}
}
