import { startEngine } from "./embedded.ts";

const engine = await startEngine();
document.body.append(engine.network.name);
