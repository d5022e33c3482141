import type { ReactNode } from 'react';
import { Button as AriaButton } from 'react-aria-components';
import { Link as RouterLink } from 'react-router';

type Look = 'primary' | 'plain' | 'danger' | 'quiet';
type ButtonProps = {
  readonly children: ReactNode; readonly look?: Look; readonly onPress?: () => void; readonly busy?: boolean; readonly disabled?: boolean;
  readonly type?: 'button' | 'submit'; readonly label?: string; readonly expanded?: boolean; readonly controls?: string;
};

/**
 * A button; while `busy` it looks so and does nothing, yet keeps the focus. react-aria's own pending state announces itself
 * through an element that outlives the button it names.
 */
export function Button({ children, look = 'plain', onPress, busy = false, disabled = false, type = 'button', label, expanded, controls }: ButtonProps) {
  return (
    <AriaButton
      className={`button ${look}${busy ? ' busy' : ''}`} type={busy ? 'button' : type} isDisabled={disabled}
      {...(onPress === undefined || busy ? {} : { onPress })} {...(label === undefined ? {} : { 'aria-label': label })}
      {...(expanded === undefined ? {} : { 'aria-expanded': expanded })} {...(controls === undefined ? {} : { 'aria-controls': controls })}
    >{children}</AriaButton>
  );
}

/** A link to another page of the console. @param to below /console, beginning with a slash */
export function PageLink({ to, children, className }: { readonly to: string; readonly children: ReactNode; readonly className?: string }) {
  return <RouterLink to={to} {...(className === undefined ? {} : { className })}>{children}</RouterLink>;
}
