import { programByHand } from "./stacks/program.ts";

export default programByHand;
