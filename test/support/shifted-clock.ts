const steady = Date;

/**
 * Moves the clock of this process: gateway, authorization server and clients alike, as on a machine on which so much time
 * has gone by. Timers go on as before.
 * @param ms from the real time; 0 puts the clock right again
 */
export function shiftClock(ms: number): void {
  globalThis.Date = ms === 0 ? steady : new Proxy(steady, {
    construct: (target, args, made) => Reflect.construct(target, args.length === 0 ? [steady.now() + ms] : args, made) as Date,
    get: (target, name) => (name === 'now' ? () => steady.now() + ms : Reflect.get(target, name) as unknown),
  });
}
