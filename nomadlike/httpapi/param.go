package httpapi

import (
	"fmt"
	"reflect"
	"strconv"
	"time"

	"github.com/nomadlike/nomadlike/nomadlike/errs"
)

var durationType = reflect.TypeFor[time.Duration]()

// setParam parses the values of one query parameter into its field. An empty
// value means that the parameter was not given, but for stale.
func setParam(field reflect.Value, name string, values []string, call string) error {
	if field.Kind() == reflect.Slice {
		field.Set(reflect.ValueOf(values).Convert(field.Type()))
		return nil
	}
	value := values[0]
	if name == "stale" && value == "" {
		value = "true"
	}
	if value == "" {
		return nil
	}
	if name == "reverse" { // anything but "true" is no
		field.SetBool(value == "true")
		return nil
	}
	if field.Kind() == reflect.Pointer {
		field.Set(reflect.New(field.Type().Elem()))
		field = field.Elem()
	}
	if err := parseInto(field, value); err != nil {
		return badParam(name, value, call, field, err)
	}
	return nil
}

func parseInto(field reflect.Value, value string) error {
	var err error
	switch {
	case field.Type() == durationType:
		var d time.Duration
		d, err = time.ParseDuration(value)
		field.SetInt(int64(d))
	case field.Kind() == reflect.String:
		field.SetString(value)
	case field.Kind() == reflect.Bool:
		var b bool
		b, err = strconv.ParseBool(value)
		field.SetBool(b)
	case field.CanInt():
		var i int64
		i, err = strconv.ParseInt(value, 10, field.Type().Bits())
		field.SetInt(i)
	case field.CanUint():
		var u uint64
		u, err = strconv.ParseUint(value, 10, field.Type().Bits())
		field.SetUint(u)
	default:
		panic(fmt.Sprintf("httpapi: no way to write a %s in a query string", field.Type()))
	}
	return err
}

// badParam says it in the words that existing clients look for.
func badParam(name, value, call string, field reflect.Value, err error) error {
	switch name {
	case "stale":
		return errs.New(errs.Invalid, "Expect `true` or `false` for `stale` query string parameter")
	case "index":
		return errs.New(errs.Invalid, "Invalid index")
	case "wait":
		return errs.New(errs.Invalid, "Invalid wait time")
	case "per_page":
		return errs.New(errs.Invalid, "Expect a number for `per_page` query string parameter")
	}
	if field.Kind() != reflect.Bool {
		return errs.Newf(errs.Invalid, "Failed to parse value of %q (%s) as a number: %v", name, value, err)
	}
	kind := errs.Internal // the documented code of most of them
	if call == "Node.List" {
		kind = errs.Invalid
	}
	return errs.Newf(kind, "Failed to parse value of %q (%s) as a bool: %v", name, value, err)
}

// param writes a field as a query parameter; nothing when it is empty.
func param(field reflect.Value) []string {
	if field.IsZero() {
		return nil
	}
	switch {
	case field.Kind() == reflect.Slice:
		return field.Convert(reflect.TypeFor[[]string]()).Interface().([]string)
	case field.Kind() == reflect.Pointer:
		return []string{fmt.Sprint(field.Elem().Interface())}
	}
	return []string{fmt.Sprint(field.Interface())}
}
