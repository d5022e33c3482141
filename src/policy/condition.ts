import { canonicalJson } from '../canonical.ts';
import { isFactValue, type Fact, type Facts } from './facts.ts';
import { compareText, didYouMean } from './problem.ts';
import type { ConditionText, Operator } from './text.ts';

/**
 * A condition made ready: `test` answers true or false, or undefined when it cannot be evaluated because a fact
 * is missing or not of its declared type. Three-valued (Kleene): what is decided whatever the missing fact
 * may be, is decided; so `all` with one false part is false, `any` with one true part is true.
 */
export type Condition = {
  readonly test: (facts: Facts) => boolean | undefined;
  /** Order of parts does not change it: equal keys mean equal conditions. */
  readonly key: string;
  readonly text: ConditionText;
  readonly atoms: readonly Atom[];
};

export type Atom = { readonly fact: Fact; readonly op: Operator; readonly value: string | number | boolean | readonly (string | number | boolean)[] };

/** Comparisons in one condition. */
const atomsMax = 30;
const depthMax = 5;

/** @param report takes each problem with its pointer below the condition; the result is undefined if there was one */
export function compileCondition(
  text: ConditionText,
  facts: ReadonlyMap<string, Fact>,
  report: (pointer: string, problem: string) => void,
): Condition | undefined {
  const atoms: Atom[] = [];
  let broken = false;
  const fail = (pointer: string, problem: string) => {
    broken = true;
    report(pointer, problem);
  };
  const test = compileNode(text, facts, atoms, '', 0, fail);
  if (atoms.length > atomsMax) fail('', `more than ${atomsMax} comparisons in one condition`);
  return broken ? undefined : { test, key: canonicalJson(normalised(text)), text, atoms };
}

type Test = Condition['test'];

function compileNode(text: ConditionText, facts: ReadonlyMap<string, Fact>, atoms: Atom[], pointer: string, depth: number, fail: (pointer: string, problem: string) => void): Test {
  if (depth > depthMax) {
    fail(pointer, `conditions are nested deeper than ${depthMax} levels`);
    return () => undefined;
  }
  const compile = (part: ConditionText, at: string) => compileNode(part, facts, atoms, pointer + at, depth + 1, fail);
  if ('all' in text) return allOf(text.all.map((part, at) => compile(part, `/all/${at}`)));
  if ('any' in text) return anyOf(text.any.map((part, at) => compile(part, `/any/${at}`)));
  if ('not' in text) {
    const part = compile(text.not, '/not');
    return (given) => {
      const value = part(given);
      return value === undefined ? undefined : !value;
    };
  }
  const fact = facts.get(text.fact);
  if (fact === undefined) {
    fail(`${pointer}/fact`, `unknown fact "${text.fact}"${didYouMean(text.fact, facts.keys())}: purposes.yaml declares none of that name`);
    return () => undefined;
  }
  const problem = comparisonProblem(fact, text.op, text.value);
  if (problem !== undefined) {
    fail(pointer + problem.at, problem.problem);
    return () => undefined;
  }
  atoms.push({ fact, op: text.op, value: text.value });
  return atomTest(fact, text.op, text.value);
}

function allOf(parts: readonly Test[]): Test {
  return (facts) => {
    let result: boolean | undefined = true;
    for (const part of parts) {
      const value = part(facts);
      if (value === false) return false;
      if (value === undefined) result = undefined;
    }
    return result;
  };
}

function anyOf(parts: readonly Test[]): Test {
  return (facts) => {
    let result: boolean | undefined = false;
    for (const part of parts) {
      const value = part(facts);
      if (value === true) return true;
      if (value === undefined) result = undefined;
    }
    return result;
  };
}

const operatorsOf: Readonly<Record<Fact['type'], readonly Operator[]>> = {
  integer: ['equals', 'in', 'at_least', 'at_most'],
  text: ['equals', 'in'],
  code: ['equals', 'in'],
  boolean: ['equals'],
  date: ['equals', 'in', 'before', 'after'],
};

function comparisonProblem(fact: Fact, op: Operator, value: Atom['value']): { at: string; problem: string } | undefined {
  const operators = operatorsOf[fact.type];
  if (!operators.includes(op)) return { at: '/op', problem: `"${op}" does not work on ${fact.name}, which is of type ${fact.type}; use ${operators.join(', ')}` };
  if (Array.isArray(value) !== (op === 'in')) return { at: '/value', problem: op === 'in' ? '"in" needs a list' : `"${op}" needs one value, not a list` };
  const values = Array.isArray(value) ? value : [value];
  const at = values.findIndex((one) => !isFactValue(fact, one));
  if (at < 0) return undefined;
  const allowed = fact.codes === undefined ? '' : ` (${fact.codes.join(', ')})`;
  const given = values[at] as string | number | boolean;
  const hint = typeof given === 'string' && fact.codes !== undefined ? didYouMean(given, fact.codes) : '';
  return { at: Array.isArray(value) ? `/value/${at}` : '/value', problem: `not a value that ${fact.name} of type ${fact.type} can have${allowed}${hint}` };
}

function atomTest(fact: Fact, op: Operator, value: Atom['value']): Test {
  const holds = comparisonTest(op, value);
  const name = fact.name;
  return (facts) => {
    const given = facts.get(name);
    return isFactValue(fact, given) ? holds(given as string | number | boolean) : undefined;
  };
}

// the types agree: comparisonProblem has checked the value, isFactValue checks what is given
function comparisonTest(op: Operator, value: Atom['value']): (given: string | number | boolean) => boolean {
  switch (op) {
    case 'equals': return (given) => given === value;
    case 'in': {
      const values = new Set(value as readonly (string | number | boolean)[]);
      return (given) => values.has(given);
    }
    case 'at_least': return (given) => (given as number) >= (value as number);
    case 'at_most': return (given) => (given as number) <= (value as number);
    case 'before': return (given) => given < (value as string);
    case 'after': return (given) => given > (value as string);
    default: return op satisfies never;
  }
}

/** The same condition with its parts in a fixed order. */
function normalised(text: ConditionText): unknown {
  const sorted = (parts: readonly ConditionText[]) => parts.map(normalised).toSorted((a, b) => compareText(canonicalJson(a), canonicalJson(b)));
  if ('all' in text) return { all: sorted(text.all) };
  if ('any' in text) return { any: sorted(text.any) };
  if ('not' in text) return { not: normalised(text.not) };
  const value = Array.isArray(text.value) ? text.value.toSorted((a, b) => compareText(canonicalJson(a), canonicalJson(b))) : text.value;
  return { fact: text.fact, op: text.op, value };
}
