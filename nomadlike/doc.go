// Package nomadlike is the vocabulary of the whole house: one definition of
// job, group, task, node, evaluation, allocation, deployment and plan, used as
// it is by job files, JSON, RPC, the raft log and the state store. It decides
// nothing but what a value may be; it reads no file, clock or socket.
//
// Rules for every type here:
//
//   - The Go name of a field is its name in JSON and msgpack. Its name in a job
//     file is the same in snake case, or what the hcl tag says: ",label" is the
//     block's label, "-" can not be set in a job file, "meta,map" may be written
//     as a block or as an attribute, "args,attr" only as an attribute; other
//     maps, structs and Raw are blocks.
//   - A nil slice, map or pointer means "not written". Fields with a default are
//     filled before decoding (see Defaults), so a zero that is present is meant.
//   - A changed field replaces the task unless it is tagged update:"inplace".
//   - Durations are nanoseconds, times of integer type Unix nanoseconds.
//   - A value in the state store is never changed; change a walk.Clone of it.
package nomadlike
