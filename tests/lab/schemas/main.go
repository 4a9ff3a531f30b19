// Reads manifests from its input, and says which of their fields its Kubernetes does not know. Objects of other people's
// groups are named and left alone.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"

	admissionregistration "k8s.io/api/admissionregistration/v1"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	rbac "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/yaml"
)

// Looks into the expressions of an object, where the compiler of this Kubernetes is built in.
var compile = func(runtime.Object) []error { return nil }

func main() {
	known := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		admissionregistration.AddToScheme, apps.AddToScheme, core.AddToScheme, networking.AddToScheme,
		policy.AddToScheme, rbac.AddToScheme,
	} {
		if err := add(known); err != nil {
			fail(err)
		}
	}
	decoder := serializer.NewCodecFactory(known, serializer.EnableStrict).UniversalDeserializer()
	documents := yaml.NewYAMLReader(bufio.NewReader(os.Stdin))
	faults, objects := 0, 0
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			fail(err)
		}
		object, kind, err := decoder.Decode(document, nil, nil)
		switch {
		case err == nil:
			objects++
			for _, err := range compile(object) {
				faults++
				fmt.Printf("fault: %s: %v\n", kind.Kind, err)
			}
		case runtime.IsNotRegisteredError(err):
			fmt.Printf("foreign: %v\n", err)
		case runtime.IsMissingKind(err):
			// A document of comments.
		default:
			faults++
			fmt.Printf("fault: %v\n", err)
		}
	}
	fmt.Printf("objects: %d\n", objects)
	if faults > 0 {
		os.Exit(1)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(2)
}
