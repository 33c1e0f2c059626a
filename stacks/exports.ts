/** What another project imports from `handover`: its program, or what one of its own is made of. */
export { program, type SiteArguments, siteArguments } from "./program.ts";
export { Site, type SiteArgs } from "./site.ts";
