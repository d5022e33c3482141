import { SaxesParser } from 'saxes';
import { VeilgateError } from '../../../errors.ts';

/** An element with its place in the file; lines and columns count from 1. */
export type XmlElement = {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlElement[];
  /** Text directly inside, joined. */
  readonly text: string;
  readonly line: number;
  readonly column: number;
};

/** UTF-16 code units, levels, and elements of one file. */
const lengthMax = 2_097_152;
const depthMax = 24;
const elementsMax = 20_000;
const attributesMax = 32;
const attributeLengthMax = 4096;

/**
 * Reads XML 1.0 without namespaces' prefixes. Nothing outside the text is ever fetched and nothing is expanded: a
 * document type, and with it every entity but the five of XML itself, is refused before it is read.
 * Errors: MODEL_FILE_REFUSED with line and column.
 */
export function readXml(text: string): XmlElement {
  if (text.length > lengthMax) throw refusedFile(`The file has more than ${lengthMax} characters`, { line: 1, column: 1 });
  const parser = new SaxesParser({ xmlns: false, position: true });
  const here = () => ({ line: parser.line, column: parser.column + 1 });
  type Open = { name: string; attributes: Record<string, string>; children: XmlElement[]; text: string; line: number; column: number };
  const open: Open[] = [];
  let root: XmlElement | undefined;
  let start = { line: 1, column: 1 };
  let elements = 0;
  parser.on('error', () => { throw refusedFile('The file is not well-formed XML', here()); });
  parser.on('doctype', () => { throw refusedFile('The file has a document type, which is not read', here()); });
  parser.on('processinginstruction', () => { throw refusedFile('The file has a processing instruction, which is not read', here()); });
  parser.on('opentagstart', () => { start = here(); });
  parser.on('attribute', ({ value }) => { if (value.length > attributeLengthMax) throw refusedFile('An attribute is too long', here()); });
  parser.on('opentag', ({ name, attributes }) => {
    elements += 1;
    if (elements > elementsMax || open.length >= depthMax) throw refusedFile('The file has too many elements or levels', start);
    if (Object.keys(attributes).length > attributesMax) throw refusedFile('An element has too many attributes', start);
    open.push({ name: localName(name), attributes: { ...attributes } as Record<string, string>, children: [], text: '', ...start });
  });
  const append = (content: string) => {
    const inside = open.at(-1);
    if (inside !== undefined) inside.text += content;
  };
  parser.on('text', append);
  parser.on('cdata', append);
  parser.on('closetag', () => {
    const closed = open.pop() as Open;
    const parent = open.at(-1);
    if (parent === undefined) root = closed;
    else parent.children.push(closed);
  });
  parser.write(text).close();
  if (root === undefined) throw refusedFile('The file holds no element', { line: 1, column: 1 });
  return root;
}

function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}

/** @param what a clause without a full stop; never text of the file beyond names of elements and fields */
export function refusedFile(what: string, { line, column }: { readonly line: number; readonly column: number }): VeilgateError {
  return new VeilgateError('MODEL_FILE_REFUSED', `${what} (line ${line}, column ${column}): correct the file, or write the model as JSON.`, { line, column });
}

/** The one child of that name, undefined when there is none. Errors: MODEL_FILE_REFUSED when there are more. */
export function childOf(element: XmlElement, name: string): XmlElement | undefined {
  const [first, second] = childrenOf(element, name);
  if (second !== undefined) throw refusedFile(`There is more than one ${name} here`, second);
  return first;
}

export function childrenOf({ children }: XmlElement, name: string): readonly XmlElement[] {
  return children.filter((child) => child.name === name);
}

/** Errors: MODEL_FILE_REFUSED when the attribute is missing. */
export function attributeOf(element: XmlElement, name: string): string {
  const value = Object.hasOwn(element.attributes, name) ? element.attributes[name] : undefined;
  if (value === undefined) throw refusedFile(`${element.name} lacks the attribute ${name}`, element);
  return value;
}

/** A finite number as XML Schema writes decimals and doubles. Errors: MODEL_FILE_REFUSED. */
export function numberOf(element: XmlElement, name: string, otherwise?: number): number {
  if (otherwise !== undefined && !Object.hasOwn(element.attributes, name)) return otherwise;
  const text = attributeOf(element, name).trim();
  const value = /^[+-]?(?:\d{1,30}(?:\.\d{0,30})?|\.\d{1,30})(?:[eE][+-]?\d{1,3})?$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isFinite(value)) throw refusedFile(`${element.name} has a ${name} that is no number`, element);
  return value;
}
