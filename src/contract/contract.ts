// What the workbench and its hosts agreed on. The renderer knows nothing else of us.
import { bundles } from './bundles';
import { datasets } from './datasets';
import { devices } from './devices';
import { host } from './host';
import { methods } from './methods';
import { models } from './models';
import { recipes } from './recipes';
import { runs } from './runs';

export const contract = { host, models, datasets, methods, recipes, runs, devices, bundles };
export type Contract = typeof contract;
