// Makes the pictures of the README: `cargo xtask browser -- --config screenshots.config.ts`.
import base from "./playwright.config";

export default { ...base, testDir: "screenshots", workers: 1 };
