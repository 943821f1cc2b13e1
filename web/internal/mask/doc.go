// Package mask hides parts of payloads, results and the like from those who may not see
// them.
//
// A rule is a path into JSON, as the query language writes it: "card.number". A "*" is
// any member or element, "**" any number of them, and an array stands for each of its
// elements, too, so that "users.token" is that of all users. Letters are compared
// whatever their case, because that is how most programs read members. A rule that is
// only "*" hides everything; "header:NAME" hides a header, "header:*" all.
//
// What a path leads to is shown as "•••", whatever is in it. A payload in which no path
// leads anywhere, because it is no object and no array of JSON, is hidden whole: nobody
// can say what is in it.
package mask
