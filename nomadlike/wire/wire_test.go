package wire_test

import (
	"bytes"
	"encoding/json"
	"math"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/nomadlike/nomadlike/nomadlike/wire"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"
)

type id string

type leaf struct {
	Name string
	Raw  []byte
}

// withDefaults fills fields when read from JSON, as types of ours do.
type withDefaults struct{ Count int }

func (d *withDefaults) UnmarshalJSON([]byte) error  { d.Count = 99; return nil }
func (d withDefaults) MarshalJSON() ([]byte, error) { return []byte("0"), nil }

type whole struct {
	ID       id     `json:"id"`
	Hidden   string `json:"-"`
	Skipped  string `wire:"-"`
	Short    string `wire:"s"`
	Bool     bool
	I8       int8
	I64      int64
	U64      uint64
	F        float64
	At       time.Time
	Zero     time.Time
	Old      time.Time
	Wait     time.Duration
	Raw      []byte
	Array    [3]int
	Names    []string
	Leaves   []leaf
	Ptr      *leaf
	None     *leaf
	Meta     map[string]string
	ByID     map[id]*leaf
	ByNumber map[int]string
	Deep     map[string]map[string][]leaf
	Default  withDefaults
	Any      any
}

func full() whole {
	return whole{
		ID: "j", Hidden: "kept", Short: "s", Bool: true, I8: -7, I64: math.MinInt64, U64: math.MaxUint64, F: 0.1,
		At: time.Unix(1<<31, 123456789).UTC(), Old: time.Date(1815, 6, 18, 11, 35, 0, 1, time.UTC),
		Wait: 37*time.Hour + 1, Raw: []byte("\xff\x00 raw"), Array: [3]int{1, 2, 3},
		Names:  []string{"", "b\x00", "\xff not utf8", strings.Repeat("long", 100)},
		Leaves: []leaf{{"a", []byte("1")}, {"b", nil}, {"c", []byte{}}}, Ptr: &leaf{Name: "p"},
		Meta: map[string]string{"x": "y", "a": "b"}, ByID: map[id]*leaf{"n": nil, "m": {Name: "m"}},
		ByNumber: map[int]string{3: "c", -1: "z"}, Default: withDefaults{3},
		Deep: map[string]map[string][]leaf{"o": {"i": {{Name: "x"}}}, "e": {}}, Any: "text",
	}
}

func roundTrip[T any](t *testing.T, in T) (out T) {
	t.Helper()
	b, err := wire.Encode(in)
	if err != nil {
		t.Fatal(err)
	}
	if err := wire.Decode(b, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestRoundTrip(t *testing.T) {
	for name, in := range map[string]whole{"full": full(), "zero": {}, "empty": {
		Raw: []byte{}, Names: []string{}, Leaves: []leaf{}, Meta: map[string]string{}, ByID: map[id]*leaf{}, Ptr: &leaf{},
	}} {
		if out := roundTrip(t, in); !reflect.DeepEqual(in, out) {
			t.Errorf("%s:\n in %#v\nout %#v", name, in, out)
		}
	}
	if out := roundTrip(t, whole{Skipped: "x"}); out.Skipped != "" {
		t.Error("a field tagged - was encoded")
	}
}

func TestTimeLosesOnlyItsZone(t *testing.T) {
	in := time.Now().In(time.FixedZone("x", 3600))
	if out := roundTrip(t, in); !out.Equal(in) || out.Location() != time.UTC {
		t.Errorf("%v became %v", in, out)
	}
}

func TestNoDefaults(t *testing.T) {
	if out := roundTrip(t, withDefaults{0}); out.Count != 0 {
		t.Errorf("a default was applied: %v", out)
	}
}

func TestEqualValuesEncodeEqually(t *testing.T) {
	first, _ := wire.Encode(full())
	for range 50 {
		if b, _ := wire.Encode(full()); !bytes.Equal(b, first) {
			t.Fatal("the same value gave other bytes")
		}
	}
}

func TestFieldsMayComeAndGo(t *testing.T) {
	type v2 struct {
		Name  string
		Extra map[string][]leaf
	}
	b, _ := wire.Encode(v2{"n", map[string][]leaf{"x": {{Name: "y"}}}})
	var old leaf
	if err := wire.Decode(b, &old); err != nil || old.Name != "n" {
		t.Errorf("an older reader got %v, %v", old, err)
	}
	b, _ = wire.Encode(leaf{Name: "n"})
	var young v2
	if err := wire.Decode(b, &young); err != nil || young.Name != "n" {
		t.Errorf("a newer reader got %v, %v", young, err)
	}
}

func TestAppend(t *testing.T) {
	b, err := wire.Append([]byte("head"), "x")
	if err != nil || string(b) != "head\xa1x" {
		t.Errorf("%q, %v", b, err)
	}
	if b, err = wire.Append([]byte("head"), complex(1, 2)); err == nil || string(b) != "head" {
		t.Errorf("a complex number gave %q, %v", b, err)
	}
}

func TestDecodeErrors(t *testing.T) {
	good, _ := wire.Encode(full())
	var v whole
	for name, b := range map[string][]byte{
		"empty":    {},
		"nil":      nil,
		"cut":      good[:len(good)-1],
		"trailing": append(bytes.Clone(good), 0xc0),
		"type":     {0xa1, 'x'},
		"nested":   append([]byte("\x81\xa3Any"), bytes.Repeat([]byte{0x91}, 5000)...),
	} {
		if err := wire.Decode(b, &v); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if err := wire.Decode(good, &v); err != nil {
		t.Errorf("the decoder did not recover: %v", err)
	}
}

// TestClaimedLengths decodes a few bytes that claim four billion elements.
func TestClaimedLengths(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for _, field := range []string{"Leaves", "Names", "Raw", "Meta", "Deep", "Any"} {
		for _, claim := range []string{"\xdd", "\xdf", "\xdb", "\xc6", "\xc9"} {
			b := string([]byte{0x81, byte(0xa0 + len(field))}) + field + claim + "\xff\xff\xff\xff"
			if err := wire.Decode([]byte(b), new(whole)); err == nil {
				t.Errorf("%s: a claim %x was believed", field, claim)
			}
		}
	}
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 32<<20 {
		t.Errorf("%d MB allocated", n>>20)
	}
}

func TestDecodedValuesOwnTheirMemory(t *testing.T) {
	in := full()
	b, _ := wire.Encode(in)
	var out whole
	if err := wire.Decode(b, &out); err != nil {
		t.Fatal(err)
	}
	clear(b)
	if !reflect.DeepEqual(in, out) {
		t.Error("the value changed with the input")
	}
}

func TestGRPCCodec(t *testing.T) {
	c := encoding.GetCodecV2(wire.CodecName)
	in := full()
	var pending []mem.BufferSlice
	for range 3 { // buffers must not be shared while in use
		s, err := c.Marshal(&in)
		if err != nil {
			t.Fatal(err)
		}
		pending = append(pending, s)
	}
	for _, s := range pending {
		var out whole
		if err := c.Unmarshal(s, &out); err != nil || !reflect.DeepEqual(in, out) {
			t.Error(out, err)
		}
		s.Free()
	}
	s, _ := c.Marshal("as it came")
	var got receiver
	if err := c.Unmarshal(s, &got); err != nil || got != "\xaaas it came" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := c.Marshal(complex(1, 2)); err == nil {
		t.Error("a complex number was encoded")
	}
}

type receiver string

func (r *receiver) Receive(b []byte) error { *r = receiver(b); return nil }

func FuzzDecode(f *testing.F) {
	b, _ := wire.Encode(full())
	f.Add(b)
	f.Add([]byte("\x81\xa6Leaves\xdd\xff\xff\xff\xff"))
	f.Add([]byte("\x81\xa2At\xc7\x0c\xff000000000000"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var v whole
		if wire.Decode(b, &v) != nil {
			return
		}
		again, err := wire.Encode(v)
		if err != nil {
			t.Fatalf("decoded what cannot be encoded: %v", err)
		}
		var w whole
		if err := wire.Decode(again, &w); err != nil {
			t.Fatal(err)
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	v := full()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := wire.Encode(&v); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	enc, _ := wire.Encode(full())
	b.ReportAllocs()
	b.SetBytes(int64(len(enc)))
	for b.Loop() {
		var v whole
		if err := wire.Decode(enc, &v); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkJSONForComparison(b *testing.B) {
	v := full()
	for b.Loop() {
		if _, err := json.Marshal(&v); err != nil {
			b.Fatal(err)
		}
	}
}
