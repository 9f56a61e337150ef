package main

const stateVariable = "LocalAppData"

var stateUnderHome = []string{"AppData", "Local"}
