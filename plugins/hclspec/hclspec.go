// Package hclspec owns the schema language in which plugins describe their
// configuration, and the way from a job's free-form config block to the bytes
// that a plugin decodes. It knows no plugin and no job.
package hclspec

// A Spec describes a value. Exactly one field is set, as in the message of the
// same name that crosses the plugin boundary.
type Spec struct {
	Object     *Object
	Array      *Array
	Attr       *Attr
	Block      *Block
	BlockAttrs *BlockAttrs
	BlockList  *BlockList
	BlockSet   *BlockSet
	BlockMap   *BlockMap
	Default    *Default
	Literal    *Literal
}

// An Object has the given keys, each decoded from the same body.
type Object struct{ Attributes map[string]*Spec }

// An Array is a tuple of values, each decoded from the same body.
type Array struct{ Values []*Spec }

// An Attr is the value of one attribute. An empty Name means the key of the
// Object that the Attr is directly in; so it is for the blocks below.
type Attr struct {
	Name     string
	Type     string // "string", "list(map(number))", "any"
	Required bool
}

// A Block is the nested value of a block that occurs at most once, or exactly
// once when it is required.
type Block struct {
	Name     string
	Required bool
	Nested   *Spec
}

// BlockAttrs is a map of the free-form attributes of one block.
type BlockAttrs struct {
	Name     string
	Type     string // of the elements
	Required bool
}

// A BlockList is the list of the nested values of all blocks of a name.
type BlockList struct {
	Name               string
	MinItems, MaxItems uint64 // no maximum when 0
	Nested             *Spec
}

// A BlockSet is a BlockList without order and duplicates.
type BlockSet struct {
	Name               string
	MinItems, MaxItems uint64
	Nested             *Spec
}

// A BlockMap is a map of the nested values keyed by the blocks' labels, one
// level of maps for each.
type BlockMap struct {
	Name   string
	Labels []string // what the labels are called, at least one
	Nested *Spec
}

// Default is the value of Primary, or that of Default where Primary is null.
type Default struct{ Primary, Default *Spec }

// A Literal is a constant, written as an HCL expression.
type Literal struct{ Value string }

// NewObject describes an object with the given keys.
func NewObject(attributes map[string]*Spec) *Spec {
	return &Spec{Object: &Object{Attributes: attributes}}
}

// NewArray describes a tuple of values.
func NewArray(values ...*Spec) *Spec { return &Spec{Array: &Array{Values: values}} }

// NewAttr describes an attribute that may be absent.
func NewAttr(name, typ string) *Spec { return &Spec{Attr: &Attr{Name: name, Type: typ}} }

// NewRequiredAttr describes an attribute that must be there.
func NewRequiredAttr(name, typ string) *Spec {
	return &Spec{Attr: &Attr{Name: name, Type: typ, Required: true}}
}

// NewBlock describes a block that may occur once.
func NewBlock(name string, nested *Spec) *Spec {
	return &Spec{Block: &Block{Name: name, Nested: nested}}
}

// NewRequiredBlock describes a block that must occur once.
func NewRequiredBlock(name string, nested *Spec) *Spec {
	return &Spec{Block: &Block{Name: name, Nested: nested, Required: true}}
}

// NewBlockAttrs describes a block of free-form attributes of one type.
func NewBlockAttrs(name, typ string) *Spec {
	return &Spec{BlockAttrs: &BlockAttrs{Name: name, Type: typ}}
}

// NewBlockList describes any number of blocks, in order.
func NewBlockList(name string, nested *Spec) *Spec {
	return &Spec{BlockList: &BlockList{Name: name, Nested: nested}}
}

// NewBlockSet describes any number of different blocks.
func NewBlockSet(name string, nested *Spec) *Spec {
	return &Spec{BlockSet: &BlockSet{Name: name, Nested: nested}}
}

// NewBlockMap describes blocks keyed by their labels.
func NewBlockMap(name string, labels []string, nested *Spec) *Spec {
	return &Spec{BlockMap: &BlockMap{Name: name, Labels: labels, Nested: nested}}
}

// NewDefault describes primary, or fallback where that is null.
func NewDefault(primary, fallback *Spec) *Spec {
	return &Spec{Default: &Default{Primary: primary, Default: fallback}}
}

// NewDefaultAttr describes an attribute whose value, when it is absent, is that
// of the expression literal.
func NewDefaultAttr(name, typ, literal string) *Spec {
	return NewDefault(NewAttr(name, typ), NewLiteral(literal))
}

// NewLiteral describes a constant by its expression.
func NewLiteral(expression string) *Spec { return &Spec{Literal: &Literal{Value: expression}} }
