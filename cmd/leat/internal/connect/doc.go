// Package connect finds out which storage a command is about, and opens it.
//
// There is one table of settings ([Table]). Each of them is a flag, a variable of the
// environment and a key of the config file at once, and is taken from where it is found
// first: the flag, the environment, the profile that is chosen in the config file, the
// top of that file, the default. Each of these is a layer.
//
// What names a storage belongs together: a URL in one layer replaces whatever the layers
// below say of the connection, and so does an address beside or above a URL below it.
// Two that contradict each other in one layer are refused. No error and no list of
// settings tells a password.
package connect
