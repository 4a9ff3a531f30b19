//! A walk over a template's syntax tree that finds every reference, and every word that means nothing.
//!
//! No arm is left open: a node that a later version of the language brings does not compile here.

use std::collections::{BTreeMap, BTreeSet};

use minijinja::machinery::{
    Span,
    ast::{BinOpKind, Call, CallArg, Const, Expr, Filter, Spanned, Stmt},
};

use super::{
    FILTERS, FUNCTIONS, MOST_REFERENCES, Place, SECRET, SECRETS, TESTS, TemplateError,
    bounds::place, error::quote,
};
use crate::{reference::Reference, suggestion::Suggestion};

/// The name that each loop gives to itself.
const LOOP: &str = "loop";

/// How many parts a value may be put together from by name: each name counts for all of its own, so that no
/// value has another in it more often than can be compared or written.
const MOST_PARTS: usize = 5000;
/// For how many a multiplication counts, because it may repeat a list.
const REPEATED: usize = 30;

type Found = Result<(), TemplateError>;
type Parts = Result<usize, TemplateError>;

/// What has been found so far.
pub(super) struct Finder<'a> {
    text: &'a str,
    references: Vec<Reference>,
    seen: BTreeSet<Reference>,
    /// Names that the template gives, and of how many parts their values are.
    given: BTreeMap<&'a str, usize>,
    /// Names that it uses.
    used: Vec<(&'a str, Span)>,
}

impl<'a> Finder<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let (references, seen) = (Vec::new(), BTreeSet::new());
        Self { text, references, seen, given: BTreeMap::new(), used: Vec::new() }
    }

    /// Every reference below `tree`, once.
    pub(super) fn references(mut self, tree: &Stmt<'a>) -> Result<Vec<Reference>, TemplateError> {
        self.statement(tree)?;
        let known =
            |name: &str| name == LOOP || FUNCTIONS.contains(&name) || self.given.contains_key(name);
        let unknown = self.used.iter().find(|(name, _)| !known(name));
        if let Some((name, span)) = unknown {
            let functions = [SECRET, SECRETS].into_iter().chain(FUNCTIONS.iter().copied());
            let words = self.given.keys().copied().chain(functions);
            return Err(self.unknown("variable or function", name, *span, words));
        }
        if self.references.is_empty() { Err(TemplateError::Nothing) } else { Ok(self.references) }
    }

    fn statements(&mut self, all: &[Stmt<'a>]) -> Found {
        all.iter().try_for_each(|one| self.statement(one))
    }

    fn statement(&mut self, statement: &Stmt<'a>) -> Found {
        match statement {
            Stmt::Template(template) => self.statements(&template.children),
            Stmt::EmitExpr(emit) => self.expression(&emit.expr).map(drop),
            Stmt::EmitRaw(_) => Ok(()),
            Stmt::ForLoop(each) if each.recursive => {
                Err(TemplateError::Recursive(self.place(each.span())))
            }
            Stmt::ForLoop(each) => {
                let parts = self.expression(&each.iter)?;
                self.target(&each.target, parts)?;
                self.optional(each.filter_expr.as_ref())?;
                self.statements(&each.body)?;
                self.statements(&each.else_body)
            }
            Stmt::IfCond(condition) => {
                self.expression(&condition.expr)?;
                self.statements(&condition.true_body)?;
                self.statements(&condition.false_body)
            }
            Stmt::WithBlock(with) => {
                for (target, value) in &with.assignments {
                    let parts = self.expression(value)?;
                    self.target(target, parts)?;
                }
                self.statements(&with.body)
            }
            Stmt::Set(set) => {
                let parts = self.expression(&set.expr)?;
                self.target(&set.target, parts)
            }
            Stmt::SetBlock(set) => {
                self.target(&set.target, 1)?;
                self.optional(set.filter.as_ref())?;
                self.statements(&set.body)
            }
            Stmt::AutoEscape(block) => Err(TemplateError::AutoEscape(self.place(block.span()))),
            Stmt::FilterBlock(block) => {
                self.expression(&block.filter)?;
                self.statements(&block.body)
            }
            Stmt::Do(statement) => self.call(&statement.call).map(drop),
        }
    }

    /// What is given a value.
    fn target(&mut self, target: &Expr<'a>, parts: usize) -> Found {
        match target {
            Expr::Var(name) if [SECRET, SECRETS, LOOP].contains(&name.id) => {
                Err(TemplateError::Uncalled(self.place(name.span()), name.id.to_owned()))
            }
            Expr::Var(name) => {
                let known = self.given.entry(name.id).or_default();
                *known = parts.max(*known);
                Ok(())
            }
            Expr::List(list) => list.items.iter().try_for_each(|item| self.target(item, parts)),
            Expr::Tuple(tuple) => tuple.items.iter().try_for_each(|item| self.target(item, parts)),
            other => self.expression(other).map(drop),
        }
    }

    fn optional(&mut self, expression: Option<&Expr<'a>>) -> Parts {
        expression.map_or(Ok(0), |expression| self.expression(expression))
    }

    fn expressions<'b>(&mut self, all: impl IntoIterator<Item = &'b Expr<'a>>) -> Parts
    where
        'a: 'b,
    {
        all.into_iter().try_fold(0, |parts, one| Ok(self.expression(one)?.saturating_add(parts)))
    }

    /// Of how many parts its value is, at most.
    fn expression(&mut self, expression: &Expr<'a>) -> Parts {
        let parts = self.inner(expression)?.saturating_add(1);
        if parts > MOST_PARTS {
            return Err(TemplateError::Parts(self.place(expression.span())));
        }
        Ok(parts)
    }

    /// What its value is put together from.
    fn inner(&mut self, expression: &Expr<'a>) -> Parts {
        match expression {
            Expr::Var(name) if [SECRET, SECRETS].contains(&name.id) => {
                Err(TemplateError::Uncalled(self.place(name.span()), name.id.to_owned()))
            }
            Expr::Var(name) => {
                self.used.push((name.id, name.span()));
                Ok(self.given.get(name.id).copied().unwrap_or_default())
            }
            Expr::Const(_) => Ok(0),
            Expr::Slice(slice) => {
                let bounds = [&slice.start, &slice.stop, &slice.step].into_iter().flatten();
                self.expressions(std::iter::once(&slice.expr).chain(bounds))
            }
            Expr::UnaryOp(operation) => self.expression(&operation.expr),
            Expr::BinOp(operation) => {
                let parts = self.expressions([&operation.left, &operation.right])?;
                match operation.op {
                    BinOpKind::Mul => Ok(parts.saturating_mul(REPEATED)),
                    _ => Ok(parts),
                }
            }
            Expr::Compare(comparison) => {
                let others = comparison.ops.iter().map(|other| &other.expr);
                self.expressions(std::iter::once(&comparison.expr).chain(others))
            }
            Expr::IfExpr(choice) => {
                let always = [&choice.test_expr, &choice.true_expr];
                self.expressions(always.into_iter().chain(choice.false_expr.as_ref()))
            }
            Expr::Filter(filter) => self.filter(filter),
            Expr::Test(test) => {
                self.known("test", test.name, test.span(), TESTS)?;
                let parts = self.expression(&test.expr)?;
                Ok(self.arguments(&test.args)?.saturating_add(parts))
            }
            Expr::GetAttr(attribute) => self.expression(&attribute.expr),
            Expr::GetItem(item) => self.expressions([&item.expr, &item.subscript_expr]),
            Expr::Call(call) => self.call(call),
            Expr::List(list) => self.expressions(&list.items),
            Expr::Tuple(tuple) => self.expressions(&tuple.items),
            Expr::Map(map) => self.expressions(map.keys.iter().chain(&map.values)),
        }
    }

    fn filter(&mut self, filter: &Spanned<Filter<'a>>) -> Parts {
        self.known("filter", filter.name, filter.span(), FILTERS)?;
        let parts = self.optional(filter.expr.as_ref())?;
        Ok(self.arguments(&filter.args)?.saturating_add(parts))
    }

    fn arguments(&mut self, arguments: &[CallArg<'a>]) -> Parts {
        self.expressions(arguments.iter().map(|argument| match argument {
            CallArg::Pos(value)
            | CallArg::Kwarg(_, value)
            | CallArg::PosSplat(value)
            | CallArg::KwargSplat(value) => value,
        }))
    }

    fn call(&mut self, call: &Spanned<Call<'a>>) -> Parts {
        match &call.expr {
            Expr::Var(name) if name.id == SECRET => self.secret(SECRET, call).map(|()| 0),
            Expr::Var(name) if name.id == SECRETS => self.secret(SECRETS, call).map(|()| 0),
            callee => {
                let parts = self.expression(callee)?;
                Ok(self.arguments(&call.args)?.saturating_add(parts))
            }
        }
    }

    fn secret(&mut self, function: &'static str, call: &Spanned<Call<'a>>) -> Found {
        let place = self.place(call.span());
        let [CallArg::Pos(Expr::Const(literal))] = call.args.as_slice() else {
            return Err(TemplateError::Computed(place, function));
        };
        let text = written(literal).ok_or(TemplateError::Computed(place, function))?;
        let reference: Reference =
            text.parse().map_err(|error| TemplateError::Reference(place, error))?;
        let is_tree = reference.location.is_tree();
        match function {
            SECRET if is_tree => return Err(TemplateError::Tree(place, quote(&text))),
            SECRETS if !is_tree || reference.key.is_some() => {
                return Err(TemplateError::NoTree(place, quote(&text)));
            }
            _ => {}
        }
        if self.seen.insert(reference.clone()) {
            self.references.push(reference);
        }
        let is_too_many = self.references.len() > MOST_REFERENCES;
        if is_too_many { Err(TemplateError::References(place)) } else { Ok(()) }
    }

    fn known(&self, kind: &'static str, word: &str, span: Span, words: &[&str]) -> Found {
        if words.contains(&word) {
            return Ok(());
        }
        Err(self.unknown(kind, word, span, words.iter().copied()))
    }

    fn unknown<'b>(
        &self,
        kind: &'static str,
        word: &str,
        span: Span,
        words: impl IntoIterator<Item = &'b str>,
    ) -> TemplateError {
        let (place, suggestion) = (self.place(span), Suggestion::new(word, words));
        TemplateError::Unknown { place, kind, word: quote(word), suggestion }
    }

    fn place(&self, span: Span) -> Place {
        place(self.text, span)
    }
}

/// The text of a constant that is text.
fn written(literal: &Const) -> Option<String> {
    literal.value.as_str().map(str::to_owned)
}
