import { useId, type ReactNode } from 'react';
import {
  Button as AriaButton, Checkbox as AriaCheckbox, FieldError, Input, Label, ListBox, ListBoxItem, Popover, Radio, RadioGroup, SearchField as AriaSearchField, Select as AriaSelect,
  SelectValue, Text, TextArea, TextField as AriaTextField,
} from 'react-aria-components';
import { frameTexts } from '../shell/frame-texts.ts';
import { useTexts } from '../shell/language.tsx';

type Common = { readonly label: string; readonly hint?: string; readonly error?: string | undefined; readonly required?: boolean; readonly disabled?: boolean };
type TextProps = Common & { readonly value: string; readonly onChange: (value: string) => void; readonly lines?: number; readonly maxLength?: number; readonly type?: 'text' | 'date' | 'month' | 'number'; readonly placeholder?: string };

/** A labelled line or, with `lines`, a box of text. */
export function TextField({ label, hint, error, required = false, disabled = false, value, onChange, lines, maxLength, type = 'text', placeholder }: TextProps) {
  const t = useTexts(frameTexts);
  const inner = { ...(maxLength === undefined ? {} : { maxLength }), ...(placeholder === undefined ? {} : { placeholder }) };
  return (
    <AriaTextField className="field" value={value} onChange={onChange} isRequired={required} isDisabled={disabled} isInvalid={error !== undefined} validationBehavior="aria">
      <Label>{label}{required && <span className="needed"> ({t('required')})</span>}</Label>
      {lines === undefined ? <Input type={type} {...inner} /> : <TextArea rows={lines} {...inner} />}
      <Hints hint={hint} error={error} />
    </AriaTextField>
  );
}

function Hints({ hint, error }: { readonly hint: string | undefined; readonly error: string | undefined }) {
  return <>{hint !== undefined && <Text slot="description" className="hint">{hint}</Text>}<FieldError className="field-error">{error}</FieldError></>;
}

export type Option<Value extends string> = { readonly value: Value; readonly label: string; readonly disabled?: boolean };
type SelectProps<Value extends string> = Common & { readonly options: readonly Option<Value>[]; readonly value: Value; readonly onChange: (value: Value) => void };

/** One of a list. */
export function Select<Value extends string>({ label, hint, error, required = false, disabled = false, options, value, onChange }: SelectProps<Value>) {
  return (
    <AriaSelect
      className="field" value={value} isRequired={required} isDisabled={disabled} isInvalid={error !== undefined} validationBehavior="aria"
      onChange={(key) => { const chosen = options.find((option) => option.value === key); if (chosen !== undefined) onChange(chosen.value); }}
    >
      <Label>{label}</Label>
      <AriaButton className="select-button"><SelectValue /><span aria-hidden="true">▾</span></AriaButton>
      <Hints hint={hint} error={error} />
      <Popover className="popover"><ListBox className="options">
        {options.map((option) => <ListBoxItem key={option.value} id={option.value} textValue={option.label} isDisabled={option.disabled ?? false} className="option">{option.label}</ListBoxItem>)}
      </ListBox></Popover>
    </AriaSelect>
  );
}

/** Few choices, all in sight. */
export function Choices<Value extends string>({ label, hint, error, required = false, disabled = false, options, value, onChange }: SelectProps<Value>) {
  return (
    <RadioGroup className="field choices" value={value} isRequired={required} isDisabled={disabled} isInvalid={error !== undefined} validationBehavior="aria"
      onChange={(key) => { const chosen = options.find((option) => option.value === key); if (chosen !== undefined) onChange(chosen.value); }}>
      <Label>{label}</Label>
      {options.map((option) => <Radio key={option.value} value={option.value} isDisabled={option.disabled ?? false} className="choice">{option.label}</Radio>)}
      <Hints hint={hint} error={error} />
    </RadioGroup>
  );
}

export function Checkbox({ children, value, onChange, disabled = false }: { readonly children: ReactNode; readonly value: boolean; readonly onChange: (value: boolean) => void; readonly disabled?: boolean }) {
  return (
    <AriaCheckbox className="checkbox" isSelected={value} onChange={onChange} isDisabled={disabled}>
      <span className="box" aria-hidden="true" />{children}
    </AriaCheckbox>
  );
}

export function SearchField({ label, value, onChange }: { readonly label: string; readonly value: string; readonly onChange: (value: string) => void }) {
  return <AriaSearchField className="field" value={value} onChange={onChange}><Label>{label}</Label><Input type="search" /></AriaSearchField>;
}

/** A file from this machine, which stays on it. */
export function FileField({ label, hint, accept, onFile }: { readonly label: string; readonly hint?: string; readonly accept: string; readonly onFile: (file: File) => void }) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input id={id} type="file" accept={accept} onChange={(event) => { const file = event.target.files?.[0]; if (file !== undefined) onFile(file); }} {...(hint === undefined ? {} : { 'aria-describedby': `${id}-hint` })} />
      {hint !== undefined && <span id={`${id}-hint`} className="hint">{hint}</span>}
    </div>
  );
}

/** Fields beside each other where there is room. */
export function FieldRow({ children }: { readonly children: ReactNode }) {
  return <div className="field-row">{children}</div>;
}
