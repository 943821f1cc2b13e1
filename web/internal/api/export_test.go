package api

// Routes returns the method and path of each route, and what it is.
func Routes() (all [][3]string) {
	for _, r := range routes() {
		all = append(all, [3]string{r.method, r.path, r.help})
	}
	return all
}
