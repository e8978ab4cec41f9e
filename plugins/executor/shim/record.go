package shim

// A Record is what is in the starting, started and result files: what is known
// of the task so far.
type Record struct {
	Pid       int    // of the task, as the host sees it
	StartTime uint64 // of the process in clock ticks since boot; tells a reused pid
	ShimPid   int
	Started   int64 // Unix time in nanoseconds
	Ended     int64
	Exited    bool
	Status    uint32 // as wait4 gave it
	OOM       bool
	Dropped   uint64 // bytes of output that could not be written
	// FailedOp and Errno say which call of the child's list failed, or of the
	// shim's own when Stage is set; then the task was not started.
	Failed   bool
	Stage    string
	FailedOp int
	Errno    int
}

// Encode gives one line of text that ends with a period and a newline.
func (r *Record) Encode() []byte {
	b := make([]byte, 0, 256)
	field := func(name string, v uint64) {
		b = append(b, name...)
		b = append(b, '=')
		b = appendUint(b, v)
		b = append(b, ' ')
	}
	field("pid", uint64(r.Pid))
	field("starttime", r.StartTime)
	field("shim", uint64(r.ShimPid))
	field("started", uint64(r.Started))
	field("ended", uint64(r.Ended))
	field("exited", bit(r.Exited))
	field("status", uint64(r.Status))
	field("oom", bit(r.OOM))
	field("dropped", r.Dropped)
	field("failed", bit(r.Failed))
	field("op", uint64(r.FailedOp))
	field("errno", uint64(r.Errno))
	b = append(b, "stage="...)
	b = append(b, r.Stage...)
	return append(b, " .\n"...)
}

// DecodeRecord reads what Encode wrote, with anything behind it; ok is false
// when the line is not complete.
func DecodeRecord(b []byte) (r Record, ok bool) {
	for len(b) > 0 {
		end := 0
		for end < len(b) && b[end] != ' ' && b[end] != '\n' {
			end++
		}
		if end == len(b) {
			return r, false
		}
		word := string(b[:end])
		b = b[end+1:]
		if word == "." {
			return r, true
		}
		eq := 0
		for eq < len(word) && word[eq] != '=' {
			eq++
		}
		if eq == len(word) {
			return r, false
		}
		name, text := word[:eq], word[eq+1:]
		v := parseUint(text)
		switch name {
		case "pid":
			r.Pid = int(v)
		case "starttime":
			r.StartTime = v
		case "shim":
			r.ShimPid = int(v)
		case "started":
			r.Started = int64(v)
		case "ended":
			r.Ended = int64(v)
		case "exited":
			r.Exited = v == 1
		case "status":
			r.Status = uint32(v)
		case "oom":
			r.OOM = v == 1
		case "dropped":
			r.Dropped = v
		case "failed":
			r.Failed = v == 1
		case "op":
			r.FailedOp = int(v)
		case "errno":
			r.Errno = int(v)
		case "stage":
			r.Stage = text
		}
	}
	return r, false
}

func bit(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

func appendUint(b []byte, v uint64) []byte {
	var digits [20]byte
	i := len(digits)
	for {
		i--
		digits[i] = byte('0' + v%10)
		v /= 10
		if v == 0 {
			return append(b, digits[i:]...)
		}
	}
}

func parseUint(s string) (v uint64) {
	for i := 0; i < len(s) && s[i] >= '0' && s[i] <= '9'; i++ {
		v = v*10 + uint64(s[i]-'0')
	}
	return v
}

func utoa(v uint64) string { return string(appendUint(nil, v)) }
