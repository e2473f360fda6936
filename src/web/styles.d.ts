/** Style sheets as modules: the bundler collects them into the page's style. */
declare module "*.css";
