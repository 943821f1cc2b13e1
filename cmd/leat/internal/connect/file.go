package connect

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/leatwork/leat/internal/nearest"
	"github.com/leatwork/leat/task"
)

// A File is a config file.
type File struct {
	Path     string // "": there is none
	Names    []string
	top      layer
	profiles map[string]layer
}

// ReadFile reads a config file, and refuses what is not understood in it: all of that at
// once, each with its line.
func ReadFile(path string) (*File, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("config file: %w", err)
	}
	f := &File{Path: path, top: layer{}, profiles: map[string]layer{}}
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, task.Invalid("config file", path, strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if len(doc.Content) == 0 {
		return f, nil // empty
	}
	if err := f.settings(doc.Content[0], f.top, "", f.readProfiles); err != nil {
		return nil, err
	}
	return f, nil
}

// settings reads a mapping of settings. What is below profiles is left to profiles, if
// that is not nil.
func (f *File) settings(node *yaml.Node, into layer, of string, profiles func(*yaml.Node) error) (err error) {
	if node.Kind != yaml.MappingNode {
		return f.fault(node, "must be settings, a line KEY: VALUE for each")
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		name, value := node.Content[i], node.Content[i+1]
		key := strings.ReplaceAll(name.Value, "-", "_")
		setting, known := find(key)
		switch {
		case seen[key]:
			err = errors.Join(err, f.fault(name, fmt.Sprintf("says %q twice", key)))
		case key == "profiles" && profiles != nil:
			err = errors.Join(err, profiles(value))
		case !known || key == "profile" && profiles == nil:
			err = errors.Join(err, f.fault(name, unknown(name.Value, profiles != nil)))
		default:
			text, bad := f.scalar(value, setting)
			if bad == nil {
				bad = into.take(Value{Setting: setting, Text: text, From: f.from(name, of)})
			}
			err = errors.Join(err, bad)
		}
		seen[key] = true
	}
	return errors.Join(err, into.contradictions())
}

func unknown(key string, top bool) string {
	known := keys()
	if top {
		known = append(known, "profiles")
	}
	reason := fmt.Sprintf("has the key %q, which is unknown", key)
	if near := nearest.Of(key, known); near != "" {
		reason += fmt.Sprintf("; is %q meant?", near)
	}
	return reason
}

// scalar returns the text of a value.
func (f *File) scalar(node *yaml.Node, s Setting) (string, error) {
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	switch {
	case node.Kind == yaml.ScalarNode && node.Tag != "!!null":
		return node.Value, nil
	case node.Kind == yaml.SequenceNode && s.Kind == List:
		var words []string
		for _, n := range node.Content {
			if n.Kind != yaml.ScalarNode {
				return "", f.fault(n, fmt.Sprintf("has in %q what is no text", s.Key))
			}
			words = append(words, n.Value)
		}
		return strings.Join(words, ","), nil
	}
	return "", f.fault(node, fmt.Sprintf("has no value for %q", s.Key))
}

func (f *File) readProfiles(node *yaml.Node) (err error) {
	if node.Kind != yaml.MappingNode {
		return f.fault(node, "must have below profiles a name for each, and below that settings")
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		name := node.Content[i].Value
		if slices.Contains(f.Names, name) {
			err = errors.Join(err, f.fault(node.Content[i], fmt.Sprintf("has the profile %q twice", name)))
			continue
		}
		f.Names = append(f.Names, name)
		f.profiles[name] = layer{}
		err = errors.Join(err, f.settings(node.Content[i+1], f.profiles[name], name, nil))
	}
	return err
}

func (f *File) from(node *yaml.Node, profile string) string {
	place := fmt.Sprintf("%s:%d", f.Path, node.Line)
	if profile != "" {
		return fmt.Sprintf("profile %s (%s)", profile, place)
	}
	return place
}

func (f *File) fault(node *yaml.Node, reason string) error {
	return task.Invalid("config file", fmt.Sprintf("%s:%d", f.Path, node.Line), reason)
}

// profile returns the layer of a profile; "" has nothing in it.
func (f *File) profile(name, from string) (layer, error) {
	if l, ok := f.profiles[name]; ok || name == "" {
		return l, nil
	}
	reason := "there is no config file"
	if f.Path != "" {
		reason = "there is none in " + f.Path
	}
	if len(f.Names) > 0 {
		reason = fmt.Sprintf("is none of those in %s: %s", f.Path, strings.Join(f.Names, ", "))
	}
	return nil, task.Invalid(from, name, reason)
}
