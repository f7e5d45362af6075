import { ContainerModule, type Container, type ServiceIdentifier } from 'inversify';
import { describe } from '../config/describe.ts';
import { RedriveError } from '../errors.ts';

type Pair = readonly [identifier: ServiceIdentifier, value: unknown];

/** What a container is to know: pairs of identifier and value, a Map of them, a container module, or a list of both. */
export type Services = ContainerModule | Iterable<Pair | ContainerModule>;

/** Loads the modules, then binds the pairs, which win; returns the identifiers of the pairs. Throws `OPTIONS_INVALID` for what is neither. */
export async function bindServices(container: Container, services: Services): Promise<ReadonlySet<ServiceIdentifier>> {
  const all = services instanceof ContainerModule ? [services] : listed(services);
  const pairs: Pair[] = [];
  for (const [index, service] of all.entries()) {
    if (service instanceof ContainerModule) await container.loadAsync(service);
    else pairs.push(checked(service, index));
  }
  for (const [identifier, value] of pairs) container.rebind(identifier).toConstantValue(value);
  return new Set(pairs.map(([identifier]) => identifier));
}

function listed(services: unknown): readonly (Pair | ContainerModule)[] {
  if (typeof services === 'object' && services !== null && Symbol.iterator in services) return [...(services as Iterable<Pair>)];
  throw new RedriveError(
    'OPTIONS_INVALID',
    `services: must be pairs such as [[Mailer, fakeMailer]], a Map of them, or a container module, not ${describe(services)}`,
  );
}

function checked(service: unknown, index: number): Pair {
  const fault = (text: string): RedriveError => new RedriveError('OPTIONS_INVALID', `services[${index}]: ${text}`);
  if (!Array.isArray(service) || service.length !== 2)
    throw fault(`must be a pair such as [Mailer, fakeMailer], or a container module, not ${describe(service)}`);
  const [identifier, value] = service as unknown[];
  if (identifier === undefined) throw fault('its identifier is undefined (a class is undefined where imports run in a circle)');
  if (!['function', 'string', 'symbol'].includes(typeof identifier))
    throw fault(`its identifier must be a class, a string or a symbol, not ${describe(identifier)}`);
  return [identifier as ServiceIdentifier, value];
}
