// Package hclspec owns the schema language in which plugins describe their
// configuration, and the way from a job's free-form config block to the bytes
// that a plugin decodes.
package hclspec

// A Spec describes a value. See the plugin protocol, section 4.
type Spec struct{}
