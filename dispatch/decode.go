package dispatch

import (
	stdjson "encoding/json"
	"errors"
	"reflect"

	"github.com/go-json-experiment/json"
)

// decodeArgs reads arguments into v. It takes the names of members as they are:
// encoding/json would take "PATH" for "path", past the schema.
func decodeArgs(args stdjson.RawMessage, v any) error {
	err := json.Unmarshal(args, v)
	var semantic *json.SemanticError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &semantic):
		return InvalidArgs("%s: must be %s", at(string(semantic.JSONPointer)), wanted(semantic.GoType))
	}
	return InvalidArgs("%s", malformedAt(err))
}

func at(pointer string) string {
	if pointer == "" {
		return "the arguments"
	}
	return harmless(pointer)
}

// wanted names what JSON a Go type is read from.
func wanted(t reflect.Type) string {
	if t == nil {
		return "another value"
	}
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return "a whole number"
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "a whole number, not negative"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.Slice, reflect.Array:
		return "an array"
	case reflect.Struct, reflect.Map:
		return "an object"
	case reflect.Pointer:
		return wanted(t.Elem())
	}
	return "another value"
}
