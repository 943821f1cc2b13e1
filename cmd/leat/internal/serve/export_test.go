package serve

// Paced is for tests.
var Paced = paced
