// Package relay is a proxy between an issuer and the readers of its feed that does to the
// feed what real ones do: hold it back, refuse it, repeat or garble it.
//
// [Load] reads the table of behaviours, testdata/relays.json, with what must hold for a
// reader behind each. [New] makes the proxy of one row. Program relayd runs it for readers
// in other languages.
package relay
