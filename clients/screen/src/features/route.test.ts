import { expect, test } from 'vitest';
import { readRoute } from './route';

test('only whole area codes are taken from the address', () => {
  expect(readRoute('?area=510104000000')).toEqual({ area: '510104000000' });
  expect(readRoute('?choose=510100000000')).toEqual({ choose: '510100000000' });
  for (const search of ['', '?area=', '?area=510104', '?area=51010400000x', "?area='--"]) expect(readRoute(search)).toEqual({});
});
