//go:build expressions

// The compiler that the API server of the oldest Kubernetes has, with the costs that it allows.

package main

import (
	"fmt"

	"github.com/google/cel-go/cel"
	admissionregistration "k8s.io/api/admissionregistration/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/version"
	plugin "k8s.io/apiserver/pkg/admission/plugin/cel"
	"k8s.io/apiserver/pkg/cel/environment"
)

type condition struct{ name, expression string }

func (c condition) GetName() string          { return c.name }
func (c condition) GetExpression() string    { return c.expression }
func (c condition) ReturnTypes() []*cel.Type { return []*cel.Type{cel.BoolType} }

type variable struct{ condition }

func (v variable) ReturnTypes() []*cel.Type { return []*cel.Type{cel.AnyType, cel.DynType} }

var available = plugin.OptionalVariableDeclarations{HasAuthorizer: true}

func init() {
	compile = func(object runtime.Object) []error {
		switch object := object.(type) {
		case *admissionregistration.MutatingWebhookConfiguration:
			var faults []error
			for _, webhook := range object.Webhooks {
				faults = append(faults, conditions(compiler(), webhook.MatchConditions)...)
			}
			return faults
		case *admissionregistration.ValidatingAdmissionPolicy:
			return lastWord(object)
		default:
			return nil
		}
	}
}

func compiler() *plugin.CompositedCompiler {
	made, err := plugin.NewCompositedCompiler(environment.MustBaseEnvSet(version.MajorMinor(1, 30), true))
	if err != nil {
		fail(err)
	}
	return made
}

func lastWord(object *admissionregistration.ValidatingAdmissionPolicy) []error {
	// Variables are not there yet when the match conditions decide.
	faults := conditions(compiler(), object.Spec.MatchConditions)
	composed := compiler()
	for _, v := range object.Spec.Variables {
		accessor := variable{condition{v.Name, v.Expression}}
		result := composed.CompileAndStoreVariable(accessor, available, environment.NewExpressions)
		faults = append(faults, fault(v.Name, result)...)
	}
	for index, v := range object.Spec.Validations {
		accessor := condition{fmt.Sprintf("validation %d", index), v.Expression}
		result := composed.CompileCELExpression(accessor, available, environment.NewExpressions)
		faults = append(faults, fault(accessor.name, result)...)
	}
	return faults
}

func conditions(compiler *plugin.CompositedCompiler, all []admissionregistration.MatchCondition) []error {
	var faults []error
	for _, c := range all {
		result := compiler.CompileCELExpression(condition{c.Name, c.Expression}, available, environment.NewExpressions)
		faults = append(faults, fault(c.Name, result)...)
	}
	return faults
}

func fault(name string, result plugin.CompilationResult) []error {
	if result.Error == nil {
		return nil
	}
	return []error{fmt.Errorf("%s: %w", name, result.Error)}
}
