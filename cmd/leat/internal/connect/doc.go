// Package connect finds out which storage a command is about, and opens it.
//
// Each setting is taken from where it is found first: a flag, the environment, the
// profile that is chosen in the config file, the top of that file, the default.
package connect
