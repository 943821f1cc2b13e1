package command

const connectionHead = `Which storage a command is about is said by settings. Each is taken from where it is found
first: the flag, the environment, the profile of the config file, the top of that file,
the default. In a flag's name, - and _ are the same.
`

const connectionTail = `
The config file is the one that --config or LEAT_CONFIG names, or else the first of
$XDG_CONFIG_HOME/leat/config.yaml (~/.config/leat/config.yaml) and ~/.leat.yaml:

  broker: redis://localhost:6379/0
  output: wide
  profile: staging          # the one that is used if no other is said
  profiles:
    staging:
      broker: redis://staging:6379/1
    prod:
      broker: rediss-sentinel://s1,s2,s3?master=main
      username: ops
      password_file: /run/secrets/redis

A URL replaces all that lower layers say of the connection. What is said beside it, or
above, refines it: a user, a password, a database, TLS. An address (uri, cluster_addrs,
sentinel_addrs, socket) replaces a URL of a lower layer. Two of them in one layer are
refused. A password with special characters needs no escaping where it is a setting of
its own. leat config shows what is in force, and where it was said.
`

const outputText = `What was asked for goes to standard output, all else to standard error. -o says how:

  table  for people: the columns that matter, cut to the terminal's width
  wide   for people: all columns, uncut
  json   one document: an array, or an object for one thing
  jsonl  an object a line, written as it is known
  yaml   the same fields as json
  id     an id a line, which other commands take as their input

Times are local in tables and RFC 3339 in UTC elsewhere; durations are seconds, with the
unit in the field's name. Nothing to show is no error: json has [], jsonl and id nothing.
--quiet leaves out what was not asked for, --no-color or NO_COLOR the colours, which only a
terminal is given.
`

const exitText = `  0  all was done
  1  something went wrong
  2  what was asked for makes no sense: a command, flag or value that is unknown, or a
     question that nobody is there to answer; see --yes
  3  there is no such task, queue, run, entry or file
  4  some of it was done, some was not
  5  the storage cannot be reached or used: it is down, or the password is wrong
`
