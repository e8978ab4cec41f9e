package nomadlike

// MaxPayload is how many bytes may be sent along with a dispatch.
const MaxPayload = 16 << 10

// JobDispatch asks for a child of a parameterized job.
type JobDispatch struct {
	WriteOptions
	JobID            JobID `path:"JobID"`
	Payload          []byte
	Meta             map[string]string
	IdPrefixTemplate string // what the child's id has before the time
	Priority         int    // 0: the parent's
}

// JobDispatchPayload is a JobDispatch of nothing but a payload, which is the whole
// body.
type JobDispatchPayload struct {
	WriteOptions
	JobID   JobID  `path:"JobID"`
	Payload []byte `body:"raw"`
}

// JobDispatched answers a JobDispatch.
type JobDispatched struct {
	DispatchedJobID JobID
	EvalID          EvalID // empty if the child existed, or is periodic
	EvalCreateIndex uint64
	JobCreateIndex  uint64
	WriteMeta
}

// JobPeriodicForce asks to launch a periodic job now.
type JobPeriodicForce struct {
	WriteOptions
	JobID JobID `path:"JobID"`
}

// JobPeriodicForced answers a JobPeriodicForce.
type JobPeriodicForced struct {
	EvalID          EvalID
	EvalCreateIndex uint64
	WriteMeta
}
