package broker

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

func eval(id, job string, priority int, index uint64) *n.Evaluation {
	return &n.Evaluation{ID: n.EvalID(id), Namespace: "default", JobID: n.JobID(job), Type: "service", Priority: priority, CreateIndex: index, ModifyIndex: index, Status: n.EvalPending}
}

// bubble runs a test against an enabled broker in virtual time.
func bubble(t *testing.T, fn func(t *testing.T, b *Broker)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := New(Options{})
		b.SetEnabled(true)
		fn(t, b)
		b.SetEnabled(false) // stops all timers
	})
}

func next(t *testing.T, b *Broker, want string) *Delivery {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	d, err := b.Dequeue(ctx, "service", FailedQueue)
	if err != nil {
		t.Fatalf("nothing to dequeue, want %s", want)
	}
	if string(d.Eval.ID) != want {
		t.Fatalf("dequeued %s, want %s", d.Eval.ID, want)
	}
	return d
}

func none(t *testing.T, b *Broker) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if d, err := b.Dequeue(ctx, "service", FailedQueue); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("dequeued %v, want nothing", d)
	}
}

func TestImportanceThenAge(t *testing.T) {
	bubble(t, func(t *testing.T, b *Broker) {
		b.Enqueue(eval("old", "a", 50, 1), eval("new", "b", 50, 2), eval("vip", "c", 90, 3))
		for _, id := range []string{"vip", "old", "new"} {
			next(t, b, id)
		}
		none(t, b)
	})
}

// TestOneOfAJob hands out a job's evaluations one after the other, and after one
// was handled only the newest of those that waited.
func TestOneOfAJob(t *testing.T) {
	bubble(t, func(t *testing.T, b *Broker) {
		b.Enqueue(eval("1", "a", 50, 1), eval("2", "a", 50, 2), eval("3", "a", 50, 3))
		d := next(t, b, "1")
		none(t, b)
		if err := b.Ack("1", d.Token); err != nil {
			t.Fatal(err)
		}
		if d := next(t, b, "3"); d.WaitIndex != 3 {
			t.Errorf("waits for index %d", d.WaitIndex)
		}
		if c := b.Cancelable(); len(c) != 1 || c[0].ID != "2" {
			t.Errorf("cancelable %v", c)
		}
	})
}

// TestNack hands an evaluation out again, later each time, and then as failed.
func TestNack(t *testing.T) {
	bubble(t, func(t *testing.T, b *Broker) {
		b.Enqueue(eval("1", "a", 50, 1))
		start := time.Now()
		for _, want := range []time.Duration{0, time.Second, 21 * time.Second} {
			d := next(t, b, "1")
			if got := time.Since(start); got != want {
				t.Errorf("delivered after %s, want %s", got, want)
			}
			if err := b.Nack("1", d.Token); err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if d, err := b.Dequeue(ctx, FailedQueue); err != nil || d.Eval.ID != "1" {
			t.Errorf("failed queue gave %v, %v", d, err)
		}
	})
}

// TestSilentWorker takes an evaluation back from a worker that says nothing, and
// then does not listen to it any more.
func TestSilentWorker(t *testing.T) {
	bubble(t, func(t *testing.T, b *Broker) {
		b.Enqueue(eval("1", "a", 50, 1))
		first := next(t, b, "1")
		start := time.Now()
		second := next(t, b, "1")
		if got := time.Since(start); got != time.Minute+time.Second {
			t.Errorf("taken back after %s", got)
		}
		if b.Ack("1", first.Token) == nil {
			t.Error("the first worker's token still works")
		}
		if err := b.Extend("1", second.Token, true); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour) // its plan waits in the queue
		if err := b.Ack("1", second.Token); err != nil {
			t.Errorf("an extended worker lost its evaluation: %v", err)
		}
	})
}

// TestUnblockedWhileOut brings an evaluation back that was unblocked before its
// worker had acknowledged it.
func TestUnblockedWhileOut(t *testing.T) {
	bubble(t, func(t *testing.T, b *Broker) {
		b.Enqueue(eval("1", "a", 50, 1))
		d := next(t, b, "1")
		again := eval("1", "a", 50, 1)
		again.ModifyIndex, again.Status = 7, n.EvalBlocked
		b.Enqueue(again)
		none(t, b)
		if err := b.Ack("1", d.Token); err != nil {
			t.Fatal(err)
		}
		if d := next(t, b, "1"); d.WaitIndex != 7 {
			t.Errorf("came back as of index %d", d.WaitIndex)
		}
	})
}

func TestDelay(t *testing.T) {
	bubble(t, func(t *testing.T, b *Broker) {
		wait, until := eval("wait", "a", 50, 1), eval("until", "b", 50, 1)
		wait.Wait = time.Minute
		at := time.Now().Add(time.Second)
		until.WaitUntil = &at
		start := time.Now()
		b.Enqueue(wait, until)
		next(t, b, "until")
		next(t, b, "wait")
		if got := time.Since(start); got != time.Minute {
			t.Errorf("came after %s", got)
		}
	})
}

func BenchmarkEnqueueDequeueAck(b *testing.B) {
	br := New(Options{})
	br.SetEnabled(true)
	defer br.SetEnabled(false)
	e := eval("1", "a", 50, 1)
	b.ReportAllocs()
	for b.Loop() {
		br.Enqueue(e)
		d, err := br.Dequeue(b.Context(), "service")
		if err != nil {
			b.Fatal(err)
		}
		if err := br.Ack(e.ID, d.Token); err != nil {
			b.Fatal(err)
		}
	}
}
