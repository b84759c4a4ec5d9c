import { liteProtocols } from './lite/version.ts';

/**
 * Names of the drafts we speak, those of `--versions`. Best first: the order in which we offer and choose. Draft-18 is what most peers share;
 * whoever lacks it gets a newer one, which says all that it does, before an older one, which does not.
 */
export const moqtVersions = ['moqt-18', 'moqt-22', 'moqt-21', 'moqt-20', 'moqt-19', 'moqt-16', 'moqt-14'] as const;

export type MoqtVersion = (typeof moqtVersions)[number];

/** What a relay speaks: moq-lite too, for the peers that offer nothing better. */
export const relayVersions: readonly string[] = [...moqtVersions, ...liteProtocols];
