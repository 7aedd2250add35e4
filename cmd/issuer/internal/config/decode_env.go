package config

import (
	"io"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"issuer.example/internal/keyfile"
)

// prefix begins the name of every variable of the issuer.
const prefix = "ISSUER_"

// fileSuffix ends the name of a variable that names a file which holds the value.
const fileSuffix = "_FILE"

// clientVariables are for the commands that call a running issuer; they set no key.
var clientVariables = []string{"ISSUER_ADMIN_URL", "ISSUER_ADMIN_KEY", "ISSUER_ADMIN_KEY_FILE"}

// Variable returns the name of the variable that sets the key with this path.
func Variable(path string) string {
	return prefix + strings.ToUpper(strings.ReplaceAll(path, ".", "_"))
}

// environment reads variables into values of the types of [Config].
type environment struct {
	report *report
	leaves map[string]leaf // by variable
}

// decodeEnvironment reads the variables of the issuer in environ and returns their
// well-formed values by path.
func decodeEnvironment(r *report, environ []string) map[string]any {
	e, values := newEnvironment(r), map[string]any{}
	for _, entry := range environ {
		name, text, ok := strings.Cut(entry, "=")
		// An empty variable is not set: that is how a template leaves one out.
		if !ok || text == "" || !strings.HasPrefix(name, prefix) {
			continue
		}
		if path, value, ok := e.variable(name, text); ok {
			values[path] = value
		}
	}
	return values
}

func newEnvironment(r *report) *environment {
	e := &environment{report: r, leaves: map[string]leaf{}}
	for _, l := range leaves(reflect.TypeFor[Config](), "") {
		e.leaves[Variable(l.path)] = l
		if hasFileForm(l.path) {
			e.leaves[Variable(l.path)+fileSuffix] = l
		}
	}
	return e
}

// hasFileForm reports whether a key holds or names a secret, and so has a _FILE variable.
func hasFileForm(path string) bool {
	return slices.Contains([]string{"store.dsn", "store.listen_dsn", "service_keys", "secrets"}, path)
}

// variable reads one variable and returns the path and value that it sets, if any.
func (e *environment) variable(name, text string) (path string, value any, ok bool) {
	l, known := e.leaves[name]
	p := place{name: name}
	switch {
	case !known && (slices.Contains(clientVariables, name) || isFromKubernetes(name, text)):
		return "", nil, false
	case !known:
		e.report.add(p, "", "no key of the configuration has this name")
		return "", nil, false
	}
	if name != Variable(l.path) && l.path != "secrets" {
		if text, ok = e.readFile(p, l.path, text); !ok {
			return "", nil, false
		}
	}
	if _, twice := e.report.places[l.path]; twice && e.report.places[l.path].line == 0 {
		e.report.add(p, l.path, "given twice, by %s too", e.report.places[l.path].name)
		return "", nil, false
	}
	e.report.setAt(l.path, p)
	value, ok = e.parse(p, l, text)
	return l.path, value, ok
}

// serviceVariable is the form of the variables that Kubernetes sets in every container of a
// namespace for each Service in it: here of the Services "issuer" and "issuer-*", whose port may
// have a name.
var serviceVariable = regexp.MustCompile(`^ISSUER(_[A-Z0-9_]+)?_(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$`)

// isFromKubernetes recognises the variables that Kubernetes sets for a Service whose name begins
// with "issuer". ISSUER_PORT and ISSUER_X_PORT are such if they hold a URL, as in tcp://10.0.0.1:9090:
// an operator who sets a number means the port to listen on, which is no key.
func isFromKubernetes(name, text string) bool {
	return serviceVariable.MatchString(name) || strings.HasSuffix(name, "_PORT") && strings.Contains(text, "://")
}

// readFile returns the content of the file that a _FILE variable names. A file that holds a
// secret must be closed to other users.
func (e *environment) readFile(p place, key, path string) (string, bool) {
	read := keyfile.Read
	if key == "service_keys" { // only hashes
		read = readOpen
	}
	text, err := read(path, maxSize+1)
	switch {
	case err != nil:
		e.report.add(p, key, "%v", err)
	case len(text) > maxSize:
		e.report.add(p, key, "cannot be read from %s, which holds more than %d bytes", path, maxSize)
	}
	return strings.TrimSpace(string(text)), err == nil && len(text) <= maxSize
}

// readOpen reads the first limit bytes of a file that may be open to other users.
func readOpen(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path) //nolint:gosec // the operator names the path
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return io.ReadAll(io.LimitReader(f, limit))
}

// parse reads the text of a variable as the type of its key.
func (e *environment) parse(p place, l leaf, text string) (any, bool) {
	var (
		v    any
		err  error
		want string
	)
	switch {
	case isDuration(l.typ):
		want = "a duration such as 30s, 5m or 720h"
		v, err = time.ParseDuration(text)
	case l.typ.Kind() == reflect.Bool:
		want = "true or false"
		v, err = strconv.ParseBool(text)
	case l.typ.Kind() == reflect.Int:
		want = "a whole number"
		v, err = strconv.Atoi(text)
	case l.typ == reflect.TypeFor[[]string]():
		v = split(text)
	case l.typ == reflect.TypeFor[[]ServiceKey]():
		return e.serviceKeys(p, l, text)
	default:
		v = text
	}
	if err != nil {
		e.report.add(p, l.path, "must be %s", want)
	}
	return v, err == nil
}

// serviceKeys reads a JSON array. JSON is YAML, so the decoder of the file reads it, and as
// strictly.
func (e *environment) serviceKeys(p place, l leaf, text string) (any, bool) {
	d := &decoder{report: e.report, name: p.name, env: true}
	faults := len(e.report.faults)
	root := d.parse(l.path, []byte(text))
	if len(e.report.faults) > faults {
		return nil, false
	}
	if root == nil {
		return []ServiceKey{}, true
	}
	return d.value(root, l.typ, l.path)
}

func split(text string) []string {
	list := []string{}
	for item := range strings.SplitSeq(text, ",") {
		if item = strings.TrimSpace(item); item != "" {
			list = append(list, item)
		}
	}
	return list
}
