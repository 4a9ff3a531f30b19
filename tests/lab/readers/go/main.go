// Readers reads every file of a folder with the readers that Go has, and prints what each of them got.
//
//	readers READER FOLDER
//
// The answer is one JSON object: the file's name, then what was read from it, or {"error": …}. The
// kubelet reads one variable at a time, so it is asked for K0 to K6.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/BurntSushi/toml"
	compose "github.com/compose-spec/compose-go/v2/dotenv"
	"github.com/joho/godotenv"
	goyaml "go.yaml.in/yaml/v3"
	kubelet "k8s.io/kubernetes/pkg/kubelet/util/env"
	sigsyaml "sigs.k8s.io/yaml"
)

func main() {
	readers := map[string]func(string) (any, error){
		"godotenv": func(path string) (any, error) { return godotenv.Read(path) },
		"compose":  func(path string) (any, error) { return compose.Read(path) },
		"kubelet":  readVariables,
		"go-yaml":  func(path string) (any, error) { return unmarshal(path, goyaml.Unmarshal) },
		"sigs-yaml": func(path string) (any, error) {
			return unmarshal(path, func(text []byte, value any) error { return sigsyaml.Unmarshal(text, value) })
		},
		"go-toml": func(path string) (any, error) { return unmarshal(path, toml.Unmarshal) },
	}
	read, folder := readers[os.Args[1]], os.Args[2]
	entries, err := os.ReadDir(folder)
	if err != nil {
		panic(err)
	}
	answers := map[string]any{}
	for _, entry := range entries {
		answer, err := read(filepath.Join(folder, entry.Name()))
		if err != nil {
			answer = map[string]string{"error": err.Error()}
		}
		answers[entry.Name()] = answer
	}
	if err := json.NewEncoder(os.Stdout).Encode(answers); err != nil {
		panic(err)
	}
}

func unmarshal(path string, read func([]byte, any) error) (any, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var value any
	err = read(text, &value)
	return value, err
}

func readVariables(path string) (any, error) {
	values := map[string]string{}
	for number := range 7 {
		key := fmt.Sprintf("K%d", number)
		value, err := kubelet.ParseEnv(path, key)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
		// It has no other word for a name that is not there.
		if value != "" {
			values[key] = value
		}
	}
	return values, nil
}
