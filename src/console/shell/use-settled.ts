import { useEffect, useState } from 'react';

/** A value once it has not changed for so many milliseconds: what follows each key that is pressed would follow too often. */
export function useSettled<Value>(value: Value, ms = 400): Value {
  const [settled, settle] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => settle(value), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return settled;
}
