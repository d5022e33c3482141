import { policiesClient, type PolicyVersionView } from '../../sdk/policies.ts';
import { useRead } from '../shell/use-gateway.ts';

/** The version in force without its files; undefined while it is being read. */
export function useVersionInForce() {
  return useRead(['policies', 'list', 'in_force'], async (calls): Promise<PolicyVersionView | undefined> => (await policiesClient(calls).list({ state: 'in_force' })).versions[0]);
}
