export { hostileValues, type HostileValue } from '../../test/record/hostile-values.ts';
