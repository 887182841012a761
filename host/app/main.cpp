#include "app/commands.h"

int main(int argc, char** argv) { return calhost::app::run_program(argc, argv); }
