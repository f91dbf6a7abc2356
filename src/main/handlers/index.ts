// The router: the contract's nouns, one file each, behind one type.
import { bundles } from './bundles';
import { datasets } from './datasets';
import { devices } from './devices';
import { host } from './host';
import { api } from './implement';
import { methods } from './methods';
import { models } from './models';
import { recipes } from './recipes';
import { runs } from './runs';

export function createRouter() {
  return api.router({ host, models, datasets, methods, recipes, runs, devices, bundles });
}

export type LatheRouter = ReturnType<typeof createRouter>;
