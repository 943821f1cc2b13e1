// Package browsertest looks at pages in a real Chromium, for tests: it opens them, clicks
// and types as a user does, reads what is shown, and takes pictures of it.
//
// A [Page] fails its test if it asks another origin than the one under test for anything,
// logs an error, leaves an exception uncaught or breaks its content security policy, unless
// the test expects that with [Page.Expect]. [Page.Axe] fails it if axe-core finds what
// keeps people out.
//
// A test binary has one browser, which begins with the first page and ends in [Main], and
// each page is alone in a context of its own, without the cookies and the storage of others.
// Nothing but loopback resolves in it.
package browsertest
