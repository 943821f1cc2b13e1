package connect

import "errors"

// A Profile is one of a config file's.
type Profile struct {
	Name    string `json:"name"`
	InForce bool   `json:"in_force"`
	URL     string `json:"url"` // what it comes to without flags and environment; no password
}

// Profiles returns those of the config file, in its order.
func (s *Settings) Profiles() []Profile {
	var all []Profile
	for _, name := range s.file.Names {
		p := Profile{Name: name, InForce: s.Value("profile") == name}
		url, err := s.file.with(name).URL()
		if p.URL = url; err != nil {
			p.URL = err.Error()
		}
		all = append(all, p)
	}
	return all
}

// ProfileNames returns the names of the profiles of the config file, or none if there is
// something wrong.
func (s *Settings) ProfileNames(environ []string) []string {
	f, err := s.findFile(environ)
	if err != nil {
		return nil
	}
	return f.Names
}

// Of returns the settings of a profile of the config file, whatever flags and environment say
// of the connection. How commands behave is as in s.
func (s *Settings) Of(profile, from string) (*Settings, error) {
	if _, err := s.file.profile(profile, from); err != nil {
		return nil, err
	}
	of := s.file.with(profile)
	of.Events = s.Events
	for key, v := range s.values {
		if _, own := of.values[key]; v.role == habit && (v.layer > profileLayer || !own) && !ofOne(key) {
			of.values[key] = v
		}
	}
	return of, nil
}

// ofOne reports whether a setting is about one installation.
func ofOne(key string) bool { return key == "profile" || key == "name" || key == "badge_color" }

// Beside returns where it is said of the connection, or which profile is to be used, beside
// the config file: by flags, or also in the environment.
func (s *Settings) Beside(environment bool) (all []Value) {
	least := flagsLayer
	if environment {
		least = profileLayer + 1
	}
	for _, t := range Table() {
		if v, said := s.values[t.Key]; said && v.layer >= least && (v.role != habit || t.Key == "profile") {
			all = append(all, v)
		}
	}
	return all
}

// with returns the settings of a file and one of its profiles alone.
func (f *File) with(profile string) *Settings {
	return &Settings{file: f, values: f.profiles[profile].over(f.top.over(layer{}, 1), 2)}
}

// CheckFile reports what is wrong with a config file: with what it says, and with the
// storage that each of its profiles comes to, which is not opened.
func CheckFile(path string) error {
	f, err := ReadFile(path)
	if err != nil {
		return err
	}
	for _, name := range append([]string{""}, f.Names...) {
		err = errors.Join(err, f.with(name).Check())
	}
	if v, said := f.top["profile"]; said {
		_, bad := f.profile(v.Text, v.From)
		err = errors.Join(err, bad)
	}
	return err
}
