import { clusterSettings } from './cluster-settings.ts';
import { processSettings } from './process-settings.ts';
import { sourceSettings } from './source-settings.ts';
import { tlsSettings } from './tls-settings.ts';
import { trafficSettings } from './traffic-settings.ts';

/** Every setting of the process, declared once: flags, environment, config file, --help and the reference come from here. */
export const settingList = {
  ...sourceSettings,
  ...clusterSettings,
  ...processSettings,
  ...tlsSettings,
  ...trafficSettings,
} as const;
