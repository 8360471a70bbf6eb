// Written by Tools/goldens/optimizers.py; do not edit.

import EspalierTraining
import Testing

/// Weights after some steps of an optimiser, computed in double precision.
struct OptimizerGolden: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let optimizer: any Optimizer
    let learningRate: Double
    let weights: [Double]

    static let start: [Float] = [0.5, -1.25, 2.0, 0.0, -0.03125]
    /// One array per step.
    static let gradients: [[Float]] = [
        [0.25, -0.25, 0.125, 0.5, -0.0625],
        [0.3125, -0.1875, 0.1875, 0.5625, 0.0],
        [-0.1875, 0.8125, 0.0625, -0.6875, 0.4375],
        [0.4375, -0.0625, 0.3125, 0.6875, 0.125],
        [0.5, 0.0, 0.375, 0.75, 0.1875],
        [0.0, 1.0, 0.25, -0.5, 0.625],
        [0.625, 0.125, 0.5, 0.875, 0.3125],
    ]

    static let all: [OptimizerGolden] = [
        OptimizerGolden(
            testDescription: "sgd",
            optimizer: StochasticGradientDescent(momentum: 0.0, isNesterov: false, weightDecay: 0.0),
            learningRate: 0.1,
            weights: [0.30624999999999997, -1.39375, 1.8187499999999999, -0.21875000000000006, -0.19375]),
        OptimizerGolden(
            testDescription: "sgd, weight decay",
            optimizer: StochasticGradientDescent(momentum: 0.0, isNesterov: false, weightDecay: 0.01),
            learningRate: 0.1,
            weights: [
                0.3032222270482271, -1.3848636129120864, 1.8051788868134206, -0.21813867989471214,
                -0.19325713009479314,
            ]),
        OptimizerGolden(
            testDescription: "sgd, momentum",
            optimizer: StochasticGradientDescent(momentum: 0.9, isNesterov: false, weightDecay: 0.0),
            learningRate: 0.1,
            weights: [
                -0.04852358750000013, -1.5454525375000001, 1.514744175, -0.6750591125000001,
                -0.42160418125000004,
            ]),
        OptimizerGolden(
            testDescription: "sgd, momentum, weight decay",
            optimizer: StochasticGradientDescent(momentum: 0.8, isNesterov: false, weightDecay: 0.1),
            learningRate: 0.05,
            weights: [
                0.22526129857540644, -1.272351381927244, 1.6064753297148273, -0.2718542459420376,
                -0.20105131024243544,
            ]),
        OptimizerGolden(
            testDescription: "sgd, Nesterov, weight decay",
            optimizer: StochasticGradientDescent(momentum: 0.9, isNesterov: true, weightDecay: 0.02),
            learningRate: 0.05,
            weights: [
                0.14461867068503934, -1.4202871173390983, 1.6375161931830062, -0.4100486717250863,
                -0.28644371374823985,
            ]),
        OptimizerGolden(
            testDescription: "adam",
            optimizer: Adam(moments: AdamMoments(beta1: 0.9, beta2: 0.999, epsilon: 1e-08), weightDecay: 0.0),
            learningRate: 0.01,
            weights: [
                0.4469782902334285, -1.247355299429243, 1.9334632546363772, -0.03941124643364914,
                -0.0487010894701244,
            ]),
        OptimizerGolden(
            testDescription: "adam, weight decay",
            optimizer: Adam(moments: AdamMoments(beta1: 0.8, beta2: 0.99, epsilon: 1e-06), weightDecay: 0.1),
            learningRate: 0.02,
            weights: [
                0.38604457887802796, -1.2260989888696765, 1.8583367968265097, -0.07675816215798119,
                -0.07367020738500704,
            ]),
        OptimizerGolden(
            testDescription: "adamw",
            optimizer: AdamW(
                moments: AdamMoments(beta1: 0.9, beta2: 0.999, epsilon: 1e-08), weightDecay: 0.01),
            learningRate: 0.01,
            weights: [
                0.44664529872831543, -1.2464886311743442, 1.9320838097425705, -0.039396938315058354,
                -0.048682415157207115,
            ]),
        OptimizerGolden(
            testDescription: "adamw, strong decay",
            optimizer: AdamW(moments: AdamMoments(beta1: 0.9, beta2: 0.95, epsilon: 1e-08), weightDecay: 0.5),
            learningRate: 0.05,
            weights: [
                0.17604018400109608, -1.04170677266572, 1.3712274532942077, -0.17917534948580352,
                -0.11287330821852419,
            ]),
    ]
}
